import { defineConfig } from "vitest/config";

export default defineConfig({
  // Wherever a proxy puts the page, it finds its files and the API below itself.
  base: "./",
  build: {
    target: "es2022",
    // The content security policy allows no data: addresses, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // The rubrics of docs/ are part of the page.
    fs: { allow: ["../../.."] },
    // `npm run dev` beside a running `rigel serve`; the host only answers requests that name it.
    proxy: { "/api": { target: "http://127.0.0.1:8080", changeOrigin: true } },
  },
  // Style sheets are read by a test of their colours.
  test: { environment: "node", include: ["src/**/*.test.ts"], css: true },
});
