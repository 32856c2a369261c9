// Walks through a site with a real browser, as it is told by the steps on its standard input, one JSON array:
//
//   {"goto": url}  {"type": [selector, text]}  {"click": selector}  {"until": text that the page shows}  {"forget": url}
//
// `forget` drops the cookies of a site. Answers one JSON object on its standard output: where it arrived, the page's text,
// and each document on the way with its status and those of its headers that matter.
// The browser is `TIDEGATE_BROWSER`, a Chromium that is installed, or the one that npm brought.
import { mkdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import puppeteer from 'puppeteer-core';

const PATIENCE = 30_000;
const HEADERS = ['cache-control', 'referrer-policy', 'set-cookie', 'content-security-policy'];

async function browserPath() {
  if (process.env.TIDEGATE_BROWSER) return process.env.TIDEGATE_BROWSER;
  // It unpacks into the folder for temporary files, under a name that anybody could have taken first.
  const own = new URL('node_modules/.chromium', import.meta.url).pathname;
  mkdirSync(own, { recursive: true, mode: 0o700 });
  process.env.TMPDIR = own;
  const { default: chromium } = await import('@sparticuz/chromium');
  chromium.setGraphicsMode = false;
  return chromium.executablePath();
}

const steps = JSON.parse(await text(process.stdin));
const browser = await puppeteer.launch({
  executablePath: await browserPath(),
  headless: 'shell',
  args: [
    // Without a sandbox, since it may run as root; it sees nothing but this machine.
    '--no-sandbox',
    '--no-zygote',
    '--disable-gpu',
    '--no-proxy-server',
    '--host-resolver-rules=MAP *.localhost 127.0.0.1, EXCLUDE localhost, EXCLUDE 127.0.0.1, MAP * ~NOTFOUND',
  ],
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const hops = [];
  page.on('response', (response) => {
    if (!response.request().isNavigationRequest()) return;
    const headers = Object.fromEntries(HEADERS.map((name) => [name, response.headers()[name]]));
    hops.push({ method: response.request().method(), url: response.url(), status: response.status(), headers });
  });
  for (const step of steps) {
    const [[action, what]] = Object.entries(step);
    if (action === 'goto') await page.goto(what);
    else if (action === 'type') await page.type(...what);
    else if (action === 'click') await Promise.all([page.waitForNavigation(), page.click(what)]);
    else if (action === 'until') {
      await page.waitForFunction((words) => document.body?.innerText.includes(words), {}, what).catch(async () => {
        throw new Error(`\`${what}\` does not appear on ${page.url()}: ${await page.$eval('body', (b) => b.innerText)}`);
      });
    } else if (action === 'forget') await page.deleteCookie(...(await page.cookies(what)));
    else throw new Error(`\`${action}\` is no step: goto, type, click, until, forget`);
  }
  const shown = await page.$eval('body', (body) => body.innerText);
  process.stdout.write(JSON.stringify({ url: page.url(), text: shown, hops }));
} finally {
  await browser.close();
}
