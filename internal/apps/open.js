// Opens an app: asks the API, as the person who is signed in here, for a ticket
// to the address in ?to=, and goes there. Where nobody is signed in it leads to
// the page for that, which comes back. It starts the workspace when the person
// says so. The API decides what is an address of an app; this page goes nowhere
// else.

const asked = new URLSearchParams(location.search);
const to = asked.get("to") ?? "";
const nonce = asked.get("nonce") ?? "";
const at = (id) => document.getElementById(id);

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function post(path, body) {
  const answer = await fetch("/api/v1" + path, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer.status, data.detail || data.title || `The server answered ${answer.status}.`);
  return data;
}

function show({ title, text = "", start = false, again = false, problem = "" }) {
  at("title").textContent = title;
  at("text").textContent = text;
  at("problem").textContent = problem;
  at("start").hidden = !start;
  at("again").hidden = !again;
}

const coming = ["pending", "starting", "stopping", "canceling"];
let app;
let wanted = false; // the person has started the workspace

async function open() {
  try {
    app = await post("/apps/tickets", { to, nonce });
  } catch (error) {
    if (error.status === 401) {
      location.replace("/login?to=" + encodeURIComponent(location.pathname + location.search));
    } else {
      show({ title: "The app cannot be opened", problem: error.message, again: true });
    }
    return;
  }
  if (app.status === "running" && app.connected) {
    location.replace(app.url);
    return;
  }
  if (app.status === "running" || coming.includes(app.status)) {
    show({ title: `${app.workspace} is ${app.status}`, text: app.reason || "The app opens as soon as its workspace can be reached." });
    setTimeout(open, 1000);
    return;
  }
  const text = app.may_start ? "The app opens as soon as the workspace runs." : "Ask its owner to start it.";
  show({ title: `${app.workspace} is ${app.status}`, text, start: app.may_start && !wanted, problem: wanted ? app.reason : "", again: wanted });
}

at("start").addEventListener("click", async () => {
  wanted = true;
  show({ title: `${app.workspace} is starting`, text: "The app opens as soon as the workspace runs." });
  try {
    await post(`/workspaces/${app.workspace_id}/builds`, { transition: "start", reason: "dashboard" });
  } catch (error) {
    if (error.status !== 409) {
      show({ title: `${app.workspace} cannot be started`, problem: error.message, again: true });
      return;
    }
  }
  open();
});

at("again").addEventListener("click", () => {
  wanted = false;
  show({ title: "Opening…" });
  open();
});

open();
