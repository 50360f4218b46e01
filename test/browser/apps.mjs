// A person's day with apps, and a hostile app's. See test/e2e/apps_test.go.

export default async function ({ page, context, args, log }) {
  const { access, urls, username, password } = args;
  const body = (p = page) => p.innerText("body");
  const found = {};

  // Opening an app signs in on the access URL and comes back clean.
  await page.goto(urls.path + "deep/page?q=1");
  await page.waitForURL(access + "/login?to=*");
  found.signInPage = await page.title();
  await page.fill("input[name=username]", username);
  await page.fill("input[name=password]", "wrong password");
  await page.click("text=Sign in by password");
  found.wrongPassword = await page.innerText("[role=alert]");
  await page.fill("input[name=password]", password);
  await page.click("text=Sign in by password");
  await page.waitForURL(urls.path + "**");
  found.pathURL = page.url();
  found.pathBody = await body();

  // Signed in there, the next one opens by itself.
  for (const kind of ["host", "port", "shared"]) {
    await page.goto(urls[kind]);
    await page.waitForURL(urls[kind] + "**");
    found[kind] = await body();
  }

  await page.goto(urls.host);
  found.websocket = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const ws = new WebSocket(location.origin.replace("http", "ws") + "/ws");
        ws.onopen = () => ws.send("over the websocket");
        ws.onmessage = (m) => resolve(m.data);
        ws.onerror = () => resolve("error");
      }),
  );
  found.events = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const source = new EventSource("/events");
        source.onmessage = (m) => (source.close(), resolve(m.data));
        source.onerror = () => resolve("error");
      }),
  );
  found.upload = await page.evaluate(async () => {
    const answer = await fetch("/upload", { method: "POST", body: new Uint8Array(8 << 20) });
    return answer.text();
  });

  // The hostile app tries everything, on each of the origins.
  found.attacks = {};
  for (const kind of ["evilPath", "evilHost"]) {
    await page.goto(urls[kind]);
    await page.waitForURL(urls[kind] + "**");
    const popups = [];
    const note = (p) => popups.push(p);
    context.on("page", note);
    found.attacks[kind] = await page.evaluate(attack, { access, victim: urls.path });
    context.off("page", note);
    for (const p of popups) await p.close();
    log(kind, JSON.stringify(found.attacks[kind]));
  }

  // The victim's login is as it was.
  await page.goto(access + "/apps/open?to=" + encodeURIComponent(urls.path));
  await page.waitForURL(urls.path + "**");
  found.after = await body();
  found.cookies = (await context.cookies()).map(({ name, domain, httpOnly, sameSite }) => ({ name, domain, httpOnly, sameSite }));
  return found;
}

// attack runs in the hostile app's page and gives what it could do. Every
// answer but "blocked" is a hole.
async function attack({ access, victim }) {
  const soon = (ms) => new Promise((r) => setTimeout(r, ms));
  const tries = {
    async fetch() {
      const r = await fetch(access + "/api/v1/users/me", { credentials: "include" });
      return `read ${r.status} ${await r.text()}`;
    },
    async preflight() {
      const r = await fetch(access + "/api/v1/tokens", {
        method: "POST",
        credentials: "include",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ name: "stolen" }),
      });
      return `read ${r.status} ${await r.text()}`;
    },
    async opaque() {
      // The answer cannot be read; whether it did something is for the test to see.
      await fetch(access + "/api/v1/tokens", { method: "POST", mode: "no-cors", credentials: "include", body: JSON.stringify({ name: "stolen" }) });
      return "blocked";
    },
    xhr: () =>
      new Promise((resolve) => {
        const x = new XMLHttpRequest();
        x.withCredentials = true;
        x.open("GET", access + "/api/v1/tokens");
        x.onload = () => resolve(`read ${x.responseText}`);
        x.onerror = () => resolve("blocked");
        x.send();
      }),
    async form() {
      const frame = document.createElement("iframe");
      frame.name = "f" + Math.random();
      document.body.append(frame);
      const form = document.createElement("form");
      form.action = access + "/api/v1/tokens";
      form.method = "POST";
      form.enctype = "text/plain";
      form.target = frame.name;
      const field = document.createElement("input");
      field.name = '{"name":"stolen","x":"';
      field.value = '"}';
      form.append(field);
      document.body.append(form);
      form.submit();
      await soon(500);
      try {
        return frame.contentDocument?.body?.innerText ? `read ${frame.contentDocument.body.innerText}` : "blocked";
      } catch {
        return "blocked";
      }
    },
    async iframe() {
      for (const path of ["/", "/apps/open?to=" + encodeURIComponent(victim), "/api/v1/users/me", "/api/v1/docs"]) {
        const frame = document.createElement("iframe");
        frame.src = access + path;
        document.body.append(frame);
        await new Promise((r) => ((frame.onload = r), setTimeout(r, 1500)));
        try {
          const text = frame.contentDocument?.body?.innerText ?? "";
          if (text) return `read ${path}: ${text}`;
        } catch {
          // cross-origin, as it should be
        }
      }
      return "blocked";
    },
    async popup() {
      const w = window.open(access + "/apps/open?to=" + encodeURIComponent(victim));
      if (!w) return "blocked";
      await soon(1500);
      try {
        return `read ${w.location.href} ${w.document.body.innerText}`;
      } catch {
        return "blocked";
      }
    },
    script: () =>
      new Promise((resolve) => {
        const s = document.createElement("script");
        s.src = access + "/api/v1/users/me";
        s.onload = () => resolve("loaded");
        s.onerror = () => resolve("blocked");
        document.body.append(s);
      }),
    async websocket() {
      return new Promise((resolve) => {
        const ws = new WebSocket(access.replace("http", "ws") + "/api/v1/workspaces/x/agents/-/streams/00000000-0000-4000-8000-000000000000?kind=ssh");
        ws.onopen = () => resolve("opened");
        ws.onerror = () => resolve("blocked");
      });
    },
    async worker() {
      // A worker above the app would see what other apps of the origin do.
      if (!navigator.serviceWorker) return "blocked";
      try {
        const prefix = location.pathname.startsWith("/@") ? location.pathname.split("/").slice(0, 5).join("/") : "";
        await navigator.serviceWorker.register(prefix + "/worker.js", { scope: "/" });
        return prefix === "" ? "blocked" : "registered"; // on a host of its own it is the app's own business
      } catch {
        return "blocked";
      }
    },
    async ownOrigin() {
      // The API must not be here, by any name.
      for (const path of ["/api/v1/users/me", "/apps/open", "/healthz"]) {
        const r = await fetch(path, { credentials: "include" });
        const text = await r.text();
        if (r.ok && !text.includes("hostile app") && !text.includes("hello from the app")) return `read ${path} ${text}`;
      }
      return "blocked";
    },
    async cookies() {
      for (const domain of ["", "; domain=localhost", "; domain=apps.localhost", "; domain=127.0.0.1"]) {
        document.cookie = "berth_login=evil; path=/" + domain;
      }
      return /berth_(?!login=evil)/.test(document.cookie) ? `read ${document.cookie}` : "blocked";
    },
  };
  const result = {};
  for (const [name, run] of Object.entries(tries)) {
    try {
      result[name] = await run();
    } catch {
      result[name] = "blocked";
    }
  }
  return result;
}
