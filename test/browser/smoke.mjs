// Opens a page and reads its title: whether the harness itself works.
export default async function ({ page, args }) {
  await page.goto(args.url);
  return { title: await page.title(), websocket: await page.evaluate(() => typeof WebSocket) };
}
