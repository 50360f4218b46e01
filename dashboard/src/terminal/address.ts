// What the address of the page says:
// /@owner/workspace[.agent]/terminal?command=…&id=…
export interface Place {
  owner: string;
  workspace: string;
  agent: string; // "-": the only one
  command: string;
  id: string; // of the terminal; empty: none yet
}

export function placeOf(url: URL): Place | undefined {
  const found = /^\/@([^/]+)\/([^/.]+)(?:\.([^/]+))?\/terminal\/?$/.exec(url.pathname);
  if (found === null) {
    return undefined;
  }
  return {
    owner: decodeURIComponent(found[1] ?? ""),
    workspace: decodeURIComponent(found[2] ?? ""),
    agent: decodeURIComponent(found[3] ?? "-"),
    command: url.searchParams.get("command") ?? "",
    id: url.searchParams.get("id") ?? "",
  };
}

// newID makes an id. It does not use crypto.randomUUID, which pages that come
// without TLS do not have.
export function newID(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

// socketAddress is where the terminal's websocket is.
export function socketAddress(page: URL, workspaceID: string, place: Place, cols: number, rows: number): string {
  const url = new URL(page.origin);
  url.protocol = page.protocol === "https:" ? "wss:" : "ws:";
  const part = encodeURIComponent;
  url.pathname = `/api/v1/workspaces/${part(workspaceID)}/agents/${part(place.agent)}/terminal/${part(place.id)}`;
  url.searchParams.set("cols", String(cols));
  url.searchParams.set("rows", String(rows));
  if (place.command !== "") {
    url.searchParams.set("command", place.command);
  }
  return url.toString();
}
