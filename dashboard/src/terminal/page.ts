// The page of one terminal. The terminal lives in the workspace: this page is
// a viewer of it, found again by the id in its address.
import "@xterm/xterm/css/xterm.css";
import "./terminal.css";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { newID, type Place } from "./address";
import { askToRun } from "./ask";
import { Connection, type Size } from "./connection";
import { allowStyles } from "./styles";

const theme = { background: "#101418", foreground: "#d8dee9" };

// bytesOf makes bytes of what the library gives as text with a byte for each
// character.
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function element(parent: HTMLElement, tag: string, name: string): HTMLElement {
  const e = document.createElement(tag);
  e.className = name;
  parent.append(e);
  return e;
}

// keepID writes the terminal's id into the address, so that a reload comes back
// to it. The command is taken out: it was run, or the person did not want it.
function keepID(place: Place): void {
  const url = new URL(location.href);
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(place.id)) {
    place.id = newID();
    url.searchParams.set("id", place.id);
  }
  url.searchParams.delete("command");
  history.replaceState(null, "", url);
}

// openPage shows a terminal, behind a question when the address has a command.
export function openPage(room: HTMLElement, place: Place): void {
  const name = place.agent === "-" ? place.workspace : `${place.workspace}.${place.agent}`;
  document.title = `${name} – terminal`;
  if (place.command === "") {
    openTerminal(room, place, name);
    return;
  }
  askToRun(room, `${place.owner}/${name}`, place.command, (run) => {
    if (run) {
      place.id = ""; // never in a terminal that the link names
    } else {
      place.command = "";
    }
    openTerminal(room, place, name);
  });
}

function openTerminal(room: HTMLElement, place: Place, name: string): void {
  allowStyles();
  keepID(place);
  room.replaceChildren();
  room.className = "terminal-page";
  const status = element(room, "p", "terminal-status");
  status.setAttribute("role", "status");
  status.hidden = true;
  const holder = element(room, "div", "terminal-screen");

  const terminal = new Terminal({ scrollback: 10_000, cursorBlink: true, theme, fontFamily: "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace", fontSize: 14 });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(holder);
  terminal.onTitleChange((title) => {
    document.title = title === "" ? `${name} – terminal` : `${title} – ${name}`;
  });

  const windowSize = (): Size => fit.proposeDimensions() ?? { cols: 80, rows: 24 };
  const connection = new Connection(place, {
    size: windowSize,
    show: (bytes) => terminal.write(bytes),
    shared: (size) => {
      if (size.cols !== terminal.cols || size.rows !== terminal.rows) {
        terminal.resize(size.cols, size.rows);
      }
    },
    status: (text, end) => {
      status.hidden = text === "";
      status.textContent = text;
      terminal.options.disableStdin = end;
      if (end) {
        status.append(reload(), home());
      }
      connection.resize();
    },
    signIn: () => {
      status.hidden = false;
      const here = location.pathname + location.search;
      status.replaceChildren("You are not signed in. ", link(`/login?to=${encodeURIComponent(here)}`, "Sign in"));
    },
  });
  terminal.onData((text) => connection.type(new TextEncoder().encode(text)));
  terminal.onBinary((text) => connection.type(bytesOf(text)));
  new ResizeObserver(() => connection.resize()).observe(holder);
  terminal.focus();
  void connection.open();
}

function link(href: string, text: string): HTMLAnchorElement {
  const a = document.createElement("a");
  a.href = href;
  a.textContent = text;
  return a;
}

const reload = (): HTMLAnchorElement => link(location.href, "Reload");
const home = (): HTMLAnchorElement => link("/", "Start page");
