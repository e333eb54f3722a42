"""What a column's header says it holds: English, Spanish, Portuguese, Filipino, and the words of Indian files."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.procedures.classification.rules.headers import header_words

if TYPE_CHECKING:
    from collections.abc import Sequence

# kind → phrases, parted by commas, in folded words. The longest phrase that a header holds decides.
_PHRASES: Final = {
    "customer_ref": """
        customer no, customer number, customer id, customer ref, customer code, cust no, cust id, cust
        ref, custno, custid, cif, cif no, client no, client number, client id, clientid, numero de
        cliente, numero cliente, no cliente, n o cliente, nro cliente, num cliente, id cliente, codigo
        de cliente, codigo cliente, cod cliente, cliente, id do cliente, numero do cliente, codigo do
        cliente, member id, member no, member number, subscriber id, subscriber no, policyholder id,
        crn, ucic, frequent flyer no, frequent flyer number, ff no, loyalty no, numero ng kliyente,
        numero ng kustomer, numero ng customer, grahak sankhya, party id, holder id, cid
    """,
    "record_id": """
        id, uid, uuid, guid, no, nro, folio, record id, record no, row id, row no, sr no, s no, sl no,
        serial no, reference, reference no, ref, ref no, referencia, ticket, ticket id, ticket no, case
        id, case no, policy, policy no, policy number, poliza, numero de poliza, no poliza, apolice,
        contract no, contract id, contrato, loan no, loan id, order id, order no, pedido, claim id,
        claim no, invoice no, factura, pnr, booking ref, bilang
    """,
    "name": """
        name, full name, fullname, customer name, client name, account name, account holder, account
        holder name, cardholder, cardholder name, member name, patient name, insured name, applicant
        name, subscriber name, nombre, nombre completo, nombre y apellidos, nombre del cliente, nombre
        cliente, razon social, titular, nome, nome completo, nome do cliente, pangalan, buong pangalan,
        naam, first name, firstname, given name, forename, fname, nombres, primer nombre, segundo
        nombre, unang pangalan, primeiro nome, middle name, middlename, middle initial, gitnang
        pangalan, panggitnang pangalan, last name, lastname, surname, family name, lname, apellido,
        apellidos, primer apellido, segundo apellido, apellido paterno, apellido materno, apelyido,
        huling pangalan, sobrenome, alias
    """,
    "relative": """
        father name, fathers name, father s name, husband name, spouse name, spouse, mother name,
        mothers name, mother s name, nombre del padre, nombre de la madre, conyuge, nome da mae, nome do
        pai, pangalan ng ama, pangalan ng ina, asawa, nominee, nominee name, beneficiary, beneficiario,
        guardian, emergency contact name
    """,
    "maiden_name": """
        maiden name, mother maiden name, mothers maiden name, mother s maiden name, mmn, apellido de
        soltera, apellido de soltera de la madre, nome de solteira da mae, pangalan ng ina sa
        pagkadalaga, apelyido sa pagkadalaga
    """,
    "phone": """
        phone, phone no, phone number, phone1, phone2, mobile, mobile no, mobile number, mobile phone,
        mobileno, cell, cell no, cellphone, cell phone, cellphone no, telephone, telephone no, telephone
        number, tel, tel no, telno, telefono, telefono movil, telefono celular, telefono fijo, numero de
        telefono, no telefono, celular, numero de celular, movil, contact no, contact number, contactno,
        telepono, numero ng telepono, numero ng cellphone, selpon, cp no, msisdn, whatsapp, whatsapp no,
        landline, home phone, work phone, alternate no, alt phone, telefone, telefone celular, fone,
        fax, caller id, ani, dooravani, mobile sankhya
    """,
    "email": """
        email, e mail, emails, mail, mail id, email id, email address, e mail address, emailaddress,
        correo, correo electronico, direccion de correo, direccion de correo electronico, endereco de
        email
    """,
    "date_of_birth": """
        dob, d o b, date of birth, dateofbirth, birth date, birthdate, birth day, birthday, born, born
        on, fecha de nacimiento, fecha nacimiento, fecha nac, fec nac, f nac, f nacimiento, nacimiento,
        cumpleanos, petsa ng kapanganakan, araw ng kapanganakan, kapanganakan, kaarawan, data de
        nascimento, data nascimento, nascimento, dt nasc, janm tithi
    """,
    "national_id": """
        ssn, ss no, social security, social security no, social security number, sss, sss no, sss
        number, gsis, gsis no, umid, umid no, philhealth, philhealth no, philhealth number, pag ibig,
        pag ibig no, pagibig, pagibig no, hdmf, hdmf no, mid no, philsys, philsys no, psn, pcn, tin, tin
        no, tin number, tax id, taxpayer id, tax number, national id, national id no, national identity,
        national insurance, nino, ni number, dni, nie, nif, nit, cedula, cedula de ciudadania, cedula de
        identidad, no cedula, curp, rfc, nss, ine, clave de elector, clave ine, rut, run, cuit, cuil,
        ruc, cpf, rg, cnpj, aadhaar, aadhaar no, aadhaar number, aadhar, aadhar no, adhaar, adhar,
        uidai, pan, pan no, pan number, pan card, pan card no, voter id, voter id no, epic, epic no,
        ration card, ration card no, sin, nric, pesel, documento, documento de identidad, numero de
        documento, no documento, identificacion, numero de identificacion, government id, govt id, id
        no, id number, identity no, identity card, itin, nhs no, nhs number, health id, abha, abha no,
        health insurance no
    """,
    "passport": """
        passport, passport no, passport number, pasaporte, no pasaporte, numero de pasaporte,
        passaporte, pasaporte blg
    """,
    "licence": """
        driver license, drivers license, driver s license, drivers licence, driving licence, driving
        license, dl, dl no, license no, licence no, licencia, licencia de conducir, licencia de
        conduccion, lisensya, cnh
    """,
    "id_last4": """
        ssn last4, ssn last 4, ssn4, last4 ssn, last 4 ssn, last 4 of ssn, aadhaar last4, aadhaar last
        4, ultimos 4 dni
    """,
    "card": """
        card, card no, card number, cardno, cardnumber, card num, credit card, credit card no, credit
        card number, cc, cc no, cc number, ccn, ccnumber, debit card, debit card no, debit card number,
        primary account number, card pan, tarjeta, numero de tarjeta, no tarjeta, num tarjeta, nro
        tarjeta, tarjeta de credito, tarjeta de debito, cartao, numero do cartao, cartao de credito,
        numero ng card
    """,
    "card_last4": """
        last4, last 4, last four, card last4, card last 4, card last four, last 4 digits, last four
        digits, ultimos 4, ultimos cuatro, ultimos 4 digitos, terminacion, huling apat
    """,
    "card_expiry": """
        exp, expiry, exp date, expiry date, expiration, expiration date, card expiry, card exp, exp mm
        yy, valid thru, valid till, vencimiento, fecha de vencimiento, caducidad, fecha de caducidad,
        validade, vto
    """,
    "security_code": """
        cvv, cvv2, cvc, cvc2, cvn, csc, cav2, security code, card security code, card code, card
        verification, card verification value, codigo de seguridad, codigo seguridad, cod seg, cod
        seguridad, codigo de seguranca, cod cvv, track1, track2, track 1, track 2, magstripe
    """,
    "pin": """
        pin, pins, atm pin, card pin, pin no, pin number, pin block, tpin, t pin, mpin, m pin, upi pin,
        phone pin, telepin, account pin, nip, clave nip, clave telefonica, clave del cajero, clave
        secreta, codigo pin, pin hash
    """,
    "password": """
        password, passwd, pass word, pwd, passcode, passphrase, contrasena, clave, clave de acceso,
        clave web, senha, kontrasenya, otp, one time password, secret key, api key, token secreto
    """,
    "security_answer": """
        security answer, secret answer, security question answer, answer, respuesta secreta, respuesta
        de seguridad, resposta secreta, sagot, secret word, codeword, code word, palabra clave,
        memorable word
    """,
    "account": """
        account, account no, account number, account num, accountno, acct, acct no, acct number, acctno,
        acc no, acc number, a c, a c no, ac no, bank account, bank account no, bank account number, bank
        acct, cuenta, numero de cuenta, no cuenta, num cuenta, nro cuenta, cuenta bancaria, clabe, cbu,
        iban, iban no, conta, numero da conta, conta corrente, account ng bangko, numero ng account,
        khata, khata sankhya, savings account, checking account, loan account, loan account no, demat
        account
    """,
    "payment_address": """
        upi, upi id, vpa, gcash, gcash no, maya, paymaya, pix, chave pix, paypal, wallet, wallet id,
        crypto
    """,
    "bank_code": """
        ifsc, ifsc code, ifs code, micr, swift, swift code, bic, sort code, routing, routing no, routing
        number, aba, branch code, bank code, bank, bank name, banco, bangko, sucursal, agencia, branch
    """,
    "address": """
        address, addr, address1, address2, address3, address line, address line 1, address line 2,
        street, street address, billing address, shipping address, home address, mailing address,
        permanent address, house no, flat no, direccion, domicilio, calle, colonia, urbanizacion,
        endereco, logradouro, rua, bairro, tirahan, kalye, tahanan, pata, barangay, brgy, purok,
        landmark
    """,
    "place": """
        city, town, village, municipality, district, state, province, county, region, country, country
        code, ciudad, municipio, provincia, departamento, pais, poblacion, localidad, estado provincia,
        cidade, uf, lungsod, siyudad, bayan, lalawigan, rehiyon, bansa, shahar, zila, jila, rajya, desh,
        taluk, tehsil, mandal
    """,
    "postal_code": """
        zip, zip code, zipcode, postcode, post code, postal, postal code, postalcode, pincode, pin code,
        area pin, codigo postal, cod postal, cp, c p, cep
    """,
    "coordinate": "lat, lon, lng, long, latitude, longitude, latitud, longitud, gps, geo, location",
    "demographic": """
        gender, sex, sexo, genero, kasarian, ling, marital status, civil status, estado civil, katayuang
        sibil, age, edad, idade, gulang, nationality, nacionalidad, nacionalidade, nasyonalidad,
        citizenship, occupation, profession, ocupacion, profesion, ocupacao, trabaho, hanapbuhay,
        employer, company, empresa, job title, education, dependents, title, salutation, education level
    """,
    "special": """
        religion, relihiyon, religiao, faith, caste, jati, ethnicity, ethnic group, etnia, race, raza,
        raca, blood group, blood type, tipo de sangre, grupo sanguineo, diagnosis, diagnoses,
        diagnostico, dx, dx code, icd, icd10, icd code, disease, condition, medical condition, allergy,
        allergies, alergias, medication, medications, medicamentos, prescription, disability,
        discapacidad, health status, sexual orientation, political party, union member, biometric,
        fingerprint, sakit, meal preference, claims
    """,
    "balance": """
        balance, current balance, available balance, account balance, outstanding, outstanding balance,
        saldo, saldo actual, saldo disponible, balanse, adeudo, deuda, amount, amount due, due amount,
        monto, importe, valor, total, credit limit, limite, limite de credito, price, precio, emi, emi
        amount, premium, prima, halaga, kabuuan, bill, bill amount, monthly bill, last payment amount,
        spend, revenue, loan amount, sum insured, bakaya, rashi
    """,
    "income": """
        income, annual income, monthly income, salary, sueldo, salario, ingreso, ingresos, sahod,
        sweldo, kita, ctc, renda, net worth, patrimonio, vetan, credit score, cibil, cibil score, score
        crediticio
    """,
    "date": """
        date, fecha, petsa, data, tarikh, created, created at, created on, updated, updated at, updated
        on, opened, opened on, open date, opening date, account opened, fecha de alta, fecha alta, fecha
        de apertura, alta, activation date, start date, end date, due date, joined, joined on, join
        date, registered, registered on, registration date, last payment, last payment date, last
        contact, last login, timestamp, renewal date, fecha de registro, fecha de pago, petsa ng
        pagbukas
    """,
    "status": """
        status, estado, estatus, situacao, katayuan, sthiti, active, activo, ativo, kyc, kyc status,
        plan, plan name, product, product name, producto, produto, produkto, tier, segment, segmento,
        category, categoria, kategorya, type, tipo, uri, brand, marca, currency, moneda, salapi,
        language, idioma, wika, bhasha, channel, canal, source, programme, program, campaign, queue,
        consent, opt in, dnc, dnd, vip
    """,
    "notes": """
        notes, note, remarks, remark, comments, comment, observations, observaciones, comentarios,
        comentario, nota, notas, observacoes, anotaciones, tala, mga tala, puna, komento, description,
        descripcion, details, detalles, feedback, transcript, message, mensaje, history, call notes,
        agent notes, tippani, reason
    """,
    "username": """
        username, user name, user id, userid, login, login id, usuario, usuario web, handle, screen name
    """,
    "network_address": "ip, ip address, ipaddress, ip addr, direccion ip, last ip, mac, mac address, user agent",
    "device": """
        imei, imei no, imei1, imei2, iccid, imsi, sim, sim no, device id, serial number, serial, meter
        no, plate no, plate number, vehicle no, registration no, vin, chassis no, placa, plaka
    """,
}
# Words that a header may carry around a phrase without meaning anything by themselves.
_FILLERS_LIST: Final = """
    the of no n o number num nro numero id de del la el da do ng mga sa primary secondary main principal
    registered current actual customer client cliente cust 1 2 3 a b home work office alt alternate other
    otro line
"""
_FILLERS: Final = frozenset(_FILLERS_LIST.split())


class NameGuess(NamedTuple):
    """What a header says: a kind, and whether the whole header says it (or only a part of it)."""

    kind: str
    whole: bool


def guess_by_header(header: str) -> NameGuess | None:
    """Return what the header says the column holds; ``None`` when it says nothing known."""
    words = header_words(header)
    if not words:
        return None
    phrases = _by_phrase()
    squeezed = phrases.get("".join(words))
    if squeezed is not None:
        return NameGuess(squeezed, whole=True)
    return _longest_within(words, phrases)


def _longest_within(words: Sequence[str], phrases: dict[str, str]) -> NameGuess | None:
    """Look for phrases within the words: the longest wins, of equals the last (``account holder phone`` is a phone)."""
    best: tuple[int, int] = (0, 0)
    found: NameGuess | None = None
    for begin in range(len(words)):
        for end in range(begin + 1, len(words) + 1):
            kind = phrases.get("".join(words[begin:end]))
            rank = (end - begin, begin)
            if kind is None or rank < best or (end - begin == 1 and words[begin] in _WEAK):
                continue
            rest = (*words[:begin], *words[end:])
            best, found = rank, NameGuess(kind, whole=all(word in _FILLERS for word in rest))
    return found


# Phrases that mean something as a whole header only: "id" within "device id" says nothing.
_WEAK_LIST: Final = """
    ac active bank bill cc company cp data date dl id long message mid nit no plan policy reason ref rg run
    score sim sin source state tipo title token total type uid uri
"""
_WEAK: Final = frozenset(_WEAK_LIST.split())


@cache
def _by_phrase() -> dict[str, str]:
    table: dict[str, str] = {}
    for kind, listed in _PHRASES.items():
        for phrase in listed.split(","):
            table.setdefault("".join(phrase.split()), kind)
    return table
