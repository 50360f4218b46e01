// Runs one script in a fresh, headless Chromium:
//
//   node run.mjs SCRIPT ARGS-AS-JSON
//
// A script's default export is an async function of { page, context, browser,
// args, log, shot }. What it returns is printed, as JSON, behind "RESULT " on
// the last line of standard output; an error ends with exit code 1. What the
// page itself logs goes to standard error. Nothing leaves the machine but what
// the script opens.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [script, given] = process.argv.slice(2);
const args = JSON.parse(given || "{}");
const home = await mkdtemp(join(tmpdir(), "berth-browser-"));
const context = await chromium.launchPersistentContext(home, {
  executablePath: process.env.BERTH_CHROMIUM || "/usr/bin/chromium",
  headless: true,
  ignoreHTTPSErrors: true,
  viewport: { width: 1280, height: 800 },
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
  ],
});
const log = (...words) => console.error(...words);
const watch = (page) => {
  page.on("console", (m) => log(`page: ${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => log(`page error: ${e.message}`));
};
context.on("page", watch);
context.setDefaultTimeout(60_000); // as long as a busy machine may need

let code = 0;
try {
  const page = context.pages()[0] ?? (await context.newPage());
  watch(page);
  const { default: run } = await import(pathToFileURL(script).href);
  const shot = (name) => page.screenshot({ path: name });
  const result = await run({ page, context, browser: context.browser(), args, log, shot });
  console.log("RESULT " + JSON.stringify(result ?? null));
} catch (error) {
  log(error.stack ?? String(error));
  for (const open of context.pages()) {
    log(`a page was ${open.url()}:\n${await open.innerText("body", { timeout: 2000 }).catch(() => "")}`);
  }
  code = 1;
} finally {
  await context.close().catch(() => {});
  await rm(home, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
}
process.exit(code);
