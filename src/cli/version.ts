/** Of this program, as npm tells it; of the first release where npm does not start it. */
export const VERSION = process.env['npm_package_version'] ?? '0.1.0'
