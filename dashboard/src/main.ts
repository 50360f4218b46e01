// The dashboard's room. Until the dashboard moves in, one page says so, which
// server this is, and how to go on with the command line.
import "./style.css";
import { placeOf } from "./terminal/address";
import { serverVersion, type Version } from "./version";

function element(tag: string, text: string): HTMLElement {
  const e = document.createElement(tag);
  e.textContent = text;
  return e;
}

function steps(v: Version): string {
  const login = `berth login ${v.access_url}`;
  if (v.setup_required) {
    return `${login}    # makes the first user`;
  }
  return [
    login,
    "berth templates list",
    "berth create hello -t process",
    "berth config-ssh",
    "ssh hello.berth",
  ].join("\n");
}

async function show(room: HTMLElement): Promise<void> {
  room.replaceChildren(
    element("h1", "Berth"),
    element("p", "The dashboard comes later. Until then the command line does everything:"),
  );
  try {
    const v = await serverVersion();
    room.append(element("pre", steps(v)), element("p", `Server ${v.version}, database ${v.database}.`));
  } catch (e) {
    room.append(element("p", `The server does not answer: ${e instanceof Error ? e.message : String(e)}`));
  }
  const docs = document.createElement("a");
  docs.href = "/api/v1/docs";
  docs.textContent = "The API of this server";
  room.append(docs);
}

const room = document.getElementById("room");
if (room !== null) {
  const place = placeOf(new URL(location.href));
  if (place === undefined) {
    void show(room);
  } else {
    void import("./terminal/page").then((page) => page.openPage(room, place));
  }
}
