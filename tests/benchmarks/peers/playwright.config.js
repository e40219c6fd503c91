module.exports = {
  testDir: "journeys",
  testMatch: "*.spec.js",
  workers: 1,
  reporter: "line",
  outputDir: process.env.OUTPUT_DIR,
  use: { launchOptions: { executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] } },
};
