type Child = Node | string

/**
 * An element with attributes and children; texts stay texts, whatever stands in them. An attribute
 * that is empty is left out.
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== '') made.setAttribute(key, value)
  }
  made.append(...children)
  return made
}

/** What the page is known to hold. */
export function byId<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T
}

/** A text in which `code` stands between backticks. */
export function prose(text: string): Child[] {
  return text.split('`').map((part, at) => (at % 2 === 1 ? element('code', {}, part) : part))
}

/** A bar as long as its share. */
export function bar(share: number): SVGElement {
  const space = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(space, 'svg')
  svg.setAttribute('class', 'bar')
  svg.setAttribute('viewBox', '0 0 100 4')
  svg.setAttribute('preserveAspectRatio', 'none')
  svg.setAttribute('aria-hidden', 'true')
  const rect = document.createElementNS(space, 'rect')
  rect.setAttribute('width', String(Math.max(0.5, 100 * share)))
  rect.setAttribute('height', '4')
  svg.append(rect)
  return svg
}
