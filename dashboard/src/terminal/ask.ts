// Anybody can make a link to this page, with a command in it. So the page shows
// the command and runs nothing that the person who sits here did not ask for.

// settle is how long the buttons wait, in milliseconds: a click or a key that was
// meant for the page before must not press them.
const settle = 600;

// shown makes visible what would hide in a command: characters without a look
// of their own, and those that change the direction of the text.
export function shown(command: string): string {
  const hidden = /[^\P{C}\n]|[\u00a0\u115f\u1160\u2000-\u200f\u2028-\u202f\u2060-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\uffa0]/gu;
  return command.replace(hidden, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}

// askToRun asks whether to run a command, and tells the answer.
export function askToRun(room: HTMLElement, where: string, command: string, answered: (run: boolean) => void): void {
  const page = document.createElement("main");
  page.className = "terminal-ask";
  const add = (tag: string, text: string): HTMLElement => {
    const e = document.createElement(tag);
    e.textContent = text;
    page.append(e);
    return e;
  };
  add("h1", `Run a command in ${where}?`);
  add("p", "The link that led here asks for this. Run it only if you know what it does: it can do everything that you can do in the workspace.");
  add("pre", shown(command));
  const buttons = add("p", "");
  const button = (text: string, run: boolean): HTMLButtonElement => {
    const b = document.createElement("button");
    b.type = "button";
    b.textContent = text;
    b.disabled = true;
    b.onclick = (event) => {
      if (event.isTrusted) {
        answered(run);
      }
    };
    buttons.append(b);
    return b;
  };
  const all = [button("Run", true), button("Open a shell instead", false)];
  // A window may open behind another, and come to the front under a click.
  let timer = 0;
  const wait = (): void => {
    window.clearTimeout(timer);
    for (const b of all) {
      b.disabled = true;
    }
    if (document.visibilityState === "visible") {
      timer = window.setTimeout(() => all.forEach((b) => (b.disabled = false)), settle);
    }
  };
  document.addEventListener("visibilitychange", wait);
  window.addEventListener("focus", wait);
  room.replaceChildren(page);
  wait();
}
