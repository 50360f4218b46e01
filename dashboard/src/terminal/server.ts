// The answers of the API that the terminal's page uses.
export interface Problem {
  status: number;
  detail: string;
}

// ask calls the API, to read when there is no body; a Problem is thrown when the
// answer is one, and when there is none.
async function ask<T>(path: string, body?: unknown): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch("/api/v1" + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { Accept: "application/json", "Content-Type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch {
    throw { status: 0, detail: "The server does not answer." } satisfies Problem;
  }
  if (answer.ok) {
    return (await answer.json()) as T;
  }
  let detail = `The server answered ${answer.status}.`;
  try {
    detail = ((await answer.json()) as { detail?: string }).detail ?? detail;
  } catch {
    // A proxy's page, most likely.
  }
  throw { status: answer.status, detail } satisfies Problem;
}

export interface Workspace {
  id: string;
  status: string;
}

export function findWorkspace(owner: string, name: string): Promise<Workspace> {
  return ask(`/users/${encodeURIComponent(owner)}/workspaces/${encodeURIComponent(name)}`);
}

// whyNot asks why a websocket to an agent does not open: browsers do not tell.
export async function whyNot(workspaceID: string, agent: string): Promise<Problem | undefined> {
  try {
    await ask(`/workspaces/${encodeURIComponent(workspaceID)}/agents/${encodeURIComponent(agent)}/ping`);
    return undefined;
  } catch (problem) {
    return problem as Problem;
  }
}
