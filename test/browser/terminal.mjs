// Uses the terminal's page as a person does. args: url of the server, username
// and password, workspace, hostile (a page of another origin on the same host),
// marker, a file that is made when the server may be killed, unasked, one that
// nothing may make, and ran, one that gets a line each time its command runs.
export default async function ({ page, context, args, log, shot }) {
  const violations = [];
  const watch = (p) => p.on("console", (m) => /Content Security Policy/.test(m.text()) && violations.push(`${m.text()} at ${m.location().url}:${m.location().lineNumber}:${m.location().columnNumber}`));
  watch(page);
  // What the server says, beside output.
  const listen = (p) =>
    p.on("websocket", (w) => {
      w.on("framereceived", (f) => typeof f.payload === "string" && log(`websocket: ${f.payload}`));
      w.on("close", () => log("websocket: closed"));
    });
  listen(page);
  context.on("page", listen);
  const screen = (p = page) => p.locator(".xterm-rows").innerText();
  const sees = async (text, p = page) => {
    const end = Date.now() + 60_000;
    for (let shown = ""; !shown.includes(text); ) {
      if (Date.now() > end) throw new Error(`the terminal does not show ${JSON.stringify(text)} but:\n${shown}`);
      shown = (await screen(p).catch(() => "")).replaceAll("\u00a0", " ");
      await p.waitForTimeout(50);
    }
  };
  const types = async (line, p = page) => {
    await p.locator(".xterm-helper-textarea").focus();
    await p.keyboard.type(line);
    await p.keyboard.press("Enter");
  };
  const step = (what) => log(`step: ${what}`);

  step("not signed in");
  const address = `${args.url}/@${args.username}/${args.workspace}/terminal`;
  await page.goto(address);
  await page.getByText("You are not signed in.").waitFor();

  step("signed in");
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("Username or e-mail").fill(args.username);
  await page.getByLabel("Password").fill(args.password);
  await page.getByRole("button", { name: "Sign in by password" }).click();
  await page.locator(".terminal-status").waitFor({ state: "hidden" });
  await types("KEPT=yes-$((40+2)); PS1='$ '; clear; echo first-$KEPT; printf '\\033[38;2;255;0;0mred\\033[m\\n'");
  await sees("first-yes-42");
  const id = new URL(page.url()).searchParams.get("id");
  const red = await page.evaluate(() => {
    const span = [...document.querySelectorAll(".xterm-rows span")].find((s) => s.textContent === "red");
    return span && getComputedStyle(span).color;
  });

  step("a reload");
  await page.reload();
  await sees("first-yes-42");
  await types("echo again-$KEPT");
  await sees("again-yes-42");

  step("a second page");
  const second = await context.newPage();
  watch(second);
  await second.setViewportSize({ width: 700, height: 500 });
  await second.goto(page.url());
  await sees("again-yes-42", second);
  await types("echo two-$KEPT; stty size", second);
  await sees("two-yes-42");
  await sees("two-yes-42", second);
  await second.close();
  await page.bringToFront();

  step("a full screen");
  await types("printf '\\033[?1049h\\033[2J\\033[5;10Hfull%s' ' of it'; read x; printf '\\033[?1049l'");
  await sees("full of it");
  await page.reload();
  await sees("full of it");
  const full = (await screen()).includes("first-yes-42");
  await types("");
  await sees("first-yes-42");

  step("the server is killed");
  await types(`echo x > ${args.marker}`);
  await page.getByText("Connecting again").waitFor();
  if (args.shot) await shot(args.shot);
  await page.locator(".terminal-status").waitFor({ state: "hidden" });
  await types("echo after-$KEPT");
  await sees("after-yes-42");
  await sees("first-yes-42");

  step("a page of another origin");
  const hostile = await context.newPage();
  await hostile.goto(args.hostile);
  const socket = await hostile.evaluate(
    async ({ url, id, workspaceID }) =>
      new Promise((done) => {
        const s = new WebSocket(`${url.replace("http", "ws")}/api/v1/workspaces/${workspaceID}/agents/-/terminal/${id}`);
        s.onopen = () => done("open");
        s.onclose = () => done("refused");
      }),
    { url: args.url, id, workspaceID: args.workspaceID },
  );
  await hostile.close();

  step("a command");
  const other = await context.newPage();
  watch(other);
  // How buttons are when they appear: a moment later they work.
  await other.addInitScript(() =>
    new MutationObserver(() => document.querySelectorAll("button").forEach((b) => (b.dataset.born ??= b.disabled ? "disabled" : "enabled"))).observe(document, {
      childList: true,
      subtree: true,
    }),
  );
  const wanted = async (command, rest = "") => {
    await other.goto(`${address}?command=${encodeURIComponent(command)}${rest}`);
    return other.locator("pre").innerText();
  };
  await wanted(`touch ${args.unasked}; echo unasked`, `&id=${id}`);
  const disabled = (await other.getByRole("button", { name: "Run" }).getAttribute("data-born")) === "disabled";
  await other.evaluate(() => document.querySelectorAll("button").forEach((b) => ((b.disabled = false), b.click())));
  await other.waitForTimeout(1500);
  const asked = await other.getByRole("button", { name: "Run" }).isVisible();
  await other.getByRole("button", { name: "Open a shell instead" }).click();
  await sees("after-yes-42", other); // the terminal of that id
  const hiding = await wanted("echo \u202eb\u200b");
  await wanted("echo told; exit 3", `&id=${id}`);
  await other.getByRole("button", { name: "Run" }).click();
  await other.getByText("The program has ended with status 3.").waitFor();
  await sees("told", other);
  const left = new URL(other.url()).searchParams;
  const ran = { disabled, asked, hiding, command: left.get("command"), sameID: left.get("id") === id };

  step("a reload after a command");
  await wanted(`echo x >> ${args.ran}`);
  await other.getByRole("button", { name: "Run" }).click();
  await other.getByText("The program has ended.").waitFor();
  // What is typed before the shell's prompt nobody hears; and for a moment the
  // terminal that ended is still there to come back to.
  for (const end = Date.now() + 30_000; ; ) {
    await other.reload();
    await other.waitForTimeout(1500);
    if ((await screen(other).catch(() => "")).includes("$") || Date.now() > end) break;
  }
  await types("echo shell-$((40+3))", other);
  await sees("shell-43", other);
  await other.close();

  step("the end");
  await page.bringToFront();
  await types("exit");
  await page.keyboard.type("what comes too late for the shell", { delay: 5 });
  await page.getByText("The program has ended.").waitFor();
  return { id, red, full, socket, violations, ran };
}
