// A person lets a waiting terminal in (RFC 8628 section 3.3).

import { call, whoAmI } from "./api.js";
import { element, problemNote } from "./elements.js";

const form = document.getElementById("ask");
const answer = document.getElementById("answer");
const code = document.getElementById("code");

async function decide(userCode, approve) {
  await call("POST", "/auth/device", { user_code: userCode, approve });
  form.hidden = true;
  const text = approve ? "Done. Go back to your terminal." : "The terminal was turned away.";
  answer.replaceChildren(element("p", { role: "status" }, text));
}

async function ask(userCode) {
  const waiting = await call("GET", `/auth/device?user_code=${encodeURIComponent(userCode)}`);
  const where = waiting.address ? ` at ${waiting.address}` : "";
  const button = (text, approve, style) =>
    element("button", { type: "button", class: style, click: () => decide(userCode, approve).catch(show) }, text);
  answer.replaceChildren(
    element("p", {}, element("strong", {}, waiting.client_name || "A terminal"), `${where} wants to act as you.`),
    element("p", { class: "quiet" }, "Allow it only if you started it yourself a moment ago."),
    element("p", {}, button("Allow", true, "action"), " ", button("Deny", false, "action second")),
  );
}

function show(problem) {
  answer.replaceChildren(problemNote(problem));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(code.value).catch(show);
});

const given = new URLSearchParams(location.search).get("user_code");
if (given !== null) code.value = given;
try {
  if ((await whoAmI()) === null) {
    const back = `/device${given === null ? "" : `?user_code=${encodeURIComponent(given)}`}`;
    location.replace(`/auth/login?return_to=${encodeURIComponent(back)}`);
  } else if (given !== null) {
    await ask(given);
  }
} catch (problem) {
  show(problem);
}
