// @ts-nocheck
import { launchBrowser } from "./browser";

test("there is a browser, and it runs scripts", async () => {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.setContent('<h1></h1><script>document.querySelector("h1").textContent = "é".normalize("NFC")</script>');

    expect(await page.textContent("h1")).toBe("é");
  } finally {
    await browser.close();
  }
});
