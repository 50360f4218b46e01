// Connection keeps a terminal's websocket, and makes it again when it is lost.
import { type Place, socketAddress } from "./address";
import { findWorkspace, type Problem, whyNot } from "./server";

export interface Size {
  cols: number;
  rows: number;
}

// Control is a text message; see TerminalControl in the API.
interface Control {
  resize?: Size;
  notice?: string;
  exit?: { code: number; signal?: string };
  error?: string;
}

export interface Screen {
  size(): Size; // of the window
  show(bytes: Uint8Array): void;
  shared(size: Size): void; // the size that the terminal has for all who view it
  status(text: string, end: boolean): void; // empty: all is well
  signIn(): void; // leads to where the person signs in
}

const ahead = 32 << 10; // bytes that may be typed before there is a connection
const first = 250; // milliseconds until the second try
const longest = 10_000;

// waitBefore is how long to wait before try number n, from 0, in milliseconds.
export function waitBefore(n: number): number {
  return Math.min(longest, first * 2 ** Math.min(n, 10)) * (0.75 + Math.random() / 4);
}

export class Connection {
  private socket: WebSocket | undefined;
  private tries = 0;
  private timer: number | undefined;
  private over = false;
  private waiting: Uint8Array<ArrayBuffer>[] = []; // typed ahead

  constructor(
    private readonly place: Place,
    private readonly screen: Screen,
  ) {
    window.addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => this.hurry());
  }

  // open connects; what happens is told to the screen.
  async open(): Promise<void> {
    this.timer = undefined;
    try {
      const workspace = await findWorkspace(this.place.owner, this.place.workspace);
      this.connect(workspace.id);
    } catch (e) {
      this.refused(e as Problem);
    }
  }

  private connect(workspaceID: string): void {
    const { cols, rows } = this.screen.size();
    const socket = new WebSocket(socketAddress(new URL(location.href), workspaceID, this.place, cols, rows));
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    let opened = false;
    let notice = "";
    socket.onopen = () => {
      opened = true;
      this.tries = 0;
      this.screen.status("", false);
      for (const bytes of this.waiting.splice(0)) {
        this.type(bytes);
      }
      const now = this.screen.size();
      if (now.cols !== cols || now.rows !== rows) {
        this.resize();
      }
    };
    socket.onmessage = (message: MessageEvent<ArrayBuffer | string>) => {
      if (typeof message.data !== "string") {
        this.screen.show(new Uint8Array(message.data));
        return;
      }
      const control = JSON.parse(message.data) as Control;
      if (control.resize !== undefined) {
        // What a terminal says first: its command runs. Once is what the person
        // said, also of one that says nothing before the connection is lost.
        this.place.command = "";
        this.screen.shared(control.resize);
      }
      if (control.notice !== undefined) {
        notice = control.notice;
        this.screen.status(notice, false);
      }
      if (control.exit !== undefined) {
        this.end(ending(control.exit));
      }
      if (control.error !== undefined) {
        this.end(control.error);
      }
    };
    socket.onclose = (event) => {
      this.socket = undefined;
      if (this.over) {
        return;
      }
      if (opened && event.code === 1000) {
        this.end("The terminal has ended.");
      } else if (opened) {
        this.again(event.reason === "" ? "The connection was lost." : sentence(event.reason));
      } else {
        void whyNot(workspaceID, this.place.agent).then((problem) => {
          if (problem === undefined) {
            this.again("The connection could not be made.");
          } else {
            this.refused(problem);
          }
        });
      }
    };
  }

  private refused(problem: Problem): void {
    switch (problem.status) {
      case 401:
        return this.screen.signIn();
      case 400:
      case 403:
      case 404:
        return this.end(sentence(problem.detail));
      default: // it may pass: a restart, a workspace that is about to start
        return this.again(sentence(problem.detail));
    }
  }

  private again(text: string): void {
    const wait = waitBefore(this.tries++);
    this.screen.status(`${text} Connecting again…`, false);
    this.timer = window.setTimeout(() => void this.open(), wait);
  }

  // hurry tries at once where a try is due later.
  private hurry(): void {
    if (this.timer !== undefined && document.visibilityState === "visible") {
      window.clearTimeout(this.timer);
      void this.open();
    }
  }

  private end(text: string): void {
    this.over = true;
    this.screen.status(text, true);
    this.socket?.close();
  }

  // type sends what a person typed, once there is a connection.
  type(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState !== WebSocket.OPEN) {
      if (!this.over && this.waiting.reduce((n, b) => n + b.length, bytes.length) <= ahead) {
        this.waiting.push(bytes);
      }
    } else {
      // A paste may be longer than what one message may be.
      for (let at = 0; at < bytes.length; at += 32 << 10) {
        this.socket.send(bytes.subarray(at, at + (32 << 10)));
      }
    }
  }

  resize(): void {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ resize: this.screen.size() }));
    }
  }
}

function ending(exit: { code: number; signal?: string }): string {
  if (exit.signal !== undefined && exit.signal !== "") {
    return `The program was ended by ${exit.signal}.`;
  }
  return exit.code === 0 ? "The program has ended." : `The program has ended with status ${exit.code}.`;
}

function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(upper) ? upper : upper + ".";
}
