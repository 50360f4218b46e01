import { defineConfig } from "vite";

// `npm run dev` serves the pages with reload; the API comes from the server at
// BERTH_URL. What is built holds no inline script or style: the server's
// content security policy allows none.
export default defineConfig({
  server: {
    proxy: { "/api": { target: process.env.BERTH_URL ?? "http://127.0.0.1:7080", ws: true } },
  },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
