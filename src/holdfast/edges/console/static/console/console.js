// What pages do beside links and forms: passkeys, values that hide again, clocks, and digits that ask for a field.
// Nothing here makes markup from text: values are set as text, and what the server sends is swapped in by htmx.

const told = (form, text) => {
  const place = form.querySelector("[data-passkey-error]");
  if (place) { place.textContent = text; place.hidden = false; }
};

class Refused extends Error {}

const optionsOf = async (from) => {
  const answer = await fetch(from, { headers: { accept: "application/json" } });
  const said = await answer.json();
  if (!answer.ok) throw new Refused(said.error);
  return said;
};

const answerOf = async (form) => {
  const from = form.dataset.optionsFrom;
  const options = from ? await optionsOf(from) : JSON.parse(form.dataset.options);
  if (form.dataset.passkey === "create") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey);
    return navigator.credentials.create({ publicKey });
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey);
  return navigator.credentials.get({ publicKey });
};

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-passkey]");
  if (!form || form.elements.credential.value) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const credential = await answerOf(form);
    form.elements.credential.value = JSON.stringify(credential.toJSON());
    if (!form.dataset.then) { form.submit(); return; }
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { accept: "application/json" } });
    const again = document.querySelector(form.dataset.then);
    if (answer.ok) again.requestSubmit();
    else told(form, (await answer.json()).error);
  } catch (error) {
    if (error instanceof Refused) told(form, error.message);
    else told(form, error.name === "NotAllowedError" ? "Nothing was confirmed. Try again." : `This browser could not: ${error.message}`);
  } finally {
    button.disabled = false;
    form.elements.credential.value = "";
  }
});

const left = (ms) => {
  const s = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
};

setInterval(() => {
  for (const value of document.querySelectorAll("[data-until]")) {
    const ms = Date.parse(value.dataset.until) - Date.now();
    if (ms <= 0) {
      value.textContent = value.dataset.hidden;
      value.classList.replace("clear", "gone");
      value.removeAttribute("data-until");
      value.nextElementSibling?.classList.contains("left") && value.nextElementSibling.remove();
      continue;
    }
    let clock = value.nextElementSibling;
    if (!clock?.classList.contains("left")) {
      clock = document.createElement("span");
      clock.className = "left";
      value.after(clock);
    }
    clock.textContent = left(ms);
  }
  for (const clock of document.querySelectorAll("[data-since]")) clock.textContent = left(Date.now() - Date.parse(clock.dataset.since));
}, 500);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const button = document.querySelector(`button[data-key="${CSS.escape(event.key)}"]`);
  if (button) { event.preventDefault(); button.click(); }
});

// That somebody copies from the card, or prints it, is told to the client's log: a deterrent, not a wall.
const tell = (how) => {
  const card = document.querySelector("[data-taken]");
  if (card && !card.dataset[how]) {
    card.dataset[how] = "told";
    fetch(card.dataset.taken, { method: "POST", body: new URLSearchParams({ how }) });
  }
};
document.addEventListener("copy", (event) => {
  if (event.target.closest?.("[data-taken]") || document.getSelection()?.anchorNode?.parentElement?.closest("[data-taken]")) tell("copied");
});
addEventListener("beforeprint", () => tell("printed"));
