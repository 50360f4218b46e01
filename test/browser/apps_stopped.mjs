// Opens an app of a stopped workspace and starts it from the page.
export default async function ({ page, args }) {
  const { access, url, username, password } = args;
  await page.goto(url);
  await page.waitForURL(access + "/login?to=*");
  await page.fill("input[name=username]", username);
  await page.fill("input[name=password]", password);
  await page.click("text=Sign in by password");
  await page.waitForSelector("#start:not([hidden])");
  const before = await page.innerText("main");
  await page.click("#start");
  await page.waitForURL(url + "**", { timeout: 90_000 });
  await page.waitForFunction(() => document.body.innerText.includes("hello from the app"), null, { timeout: 60_000 });
  return { before, after: await page.innerText("body") };
}
