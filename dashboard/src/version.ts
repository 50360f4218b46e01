// What GET /api/v1/version answers; the fields that this page uses.
export interface Version {
  version: string;
  access_url: string;
  database: string;
  setup_required: boolean;
}

export async function serverVersion(): Promise<Version> {
  const answer = await fetch("/api/v1/version", { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    throw new Error(`status ${answer.status}`);
  }
  return (await answer.json()) as Version;
}
