// Signs in by an identity provider, and lets a command line in. args: url of the
// server, path to come back to, ask (the command line's page), username.
export default async function ({ page, args }) {
  const violations = [];
  page.on("console", (m) => /Content Security Policy/.test(m.text()) && violations.push(m.text()));
  await page.goto(args.url + args.path);
  await page.waitForURL(args.url + "/login?to=*");
  const focus = await page.getByRole("button", { name: "Sign in with Corp" }).isVisible();
  if (args.shot) await page.screenshot({ path: args.shot });
  await page.getByRole("button", { name: "Sign in with Corp" }).click();
  await page.getByRole("button", { name: "Agree" }).click();
  await page.waitForURL(args.url + args.path);
  const asked = await page.getByRole("heading").innerText();
  const facts = await page.locator("dl").innerText();
  await page.getByRole("button", { name: "Yes, it is me" }).click();
  const code = await page.locator(".code code").innerText();
  await page.goto(args.url + "/login");
  const who = await page.getByRole("heading").innerText();
  await page.getByRole("button", { name: "Sign in as somebody else" }).click();
  await page.getByLabel("Username or e-mail").waitFor();
  return { focus, asked, facts, code, who, violations };
}
