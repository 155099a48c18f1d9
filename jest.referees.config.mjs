import base from "./jest.config.mjs";

/** The tests that hold us against AWS's own and others' work in Python: `npm run test:referees`. @type {import("jest").Config} */
const config = { ...base, roots: ["<rootDir>/test/referees"], testPathIgnorePatterns: ["/node_modules/", "/.venv/"] };

export default config;
