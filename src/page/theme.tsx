import { useEffect, useState } from "react";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

const KEPT_AS = "theme";

const TITLES: Readonly<Record<Theme, string>> = { auto: "as the system", light: "light", dark: "dark" };

/** Light, dark or as the system; kept in the browser. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(
    () => THEMES.find((each) => each === localStorage.getItem(KEPT_AS)) ?? "auto",
  );
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    localStorage.setItem(KEPT_AS, theme);
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
  return (
    <button
      type="button"
      className="quiet"
      onClick={() => setTheme(next)}
      title={`Colours: ${TITLES[theme]}. Change to ${TITLES[next]}`}
      aria-label={`Colours: ${TITLES[theme]}. Change to ${TITLES[next]}`}
    >
      <span aria-hidden="true" className={`theme-sign ${theme}`} />
    </button>
  );
}
