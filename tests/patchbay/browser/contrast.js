// Returns the visible texts whose contrast to their background is below WCAG 2's level AA.
() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  // The background colours of an element: several where there is a gradient.
  const behind = (element) => {
    if (!element) return [rgba("Canvas")];
    const style = getComputedStyle(element);
    const stops = style.backgroundImage.match(/(?:rgba?|color)\([^)]*\)/g) ?? [];
    const below = () => behind(element.parentElement);
    if (stops.length) return stops.map((stop) => over(rgba(stop), below()[0]));
    const own = rgba(style.backgroundColor);
    return own[3] === 1 ? [own] : below().map((color) => over(own, color));
  };
  const opacity = (element) => (element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1);

  const faint = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim();
    const element = texts.currentNode.parentElement;
    if (!text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (element.closest(".hidden, :disabled, script, option") || element.closest(".skip")) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    const ink = rgba(style.color);
    ink[3] *= opacity(element);
    const least = Math.min(...behind(element).map((color) => ratio(over(ink, color), color)));
    if (least < needed) faint.add(`${least.toFixed(2)} of ${needed}: "${text.slice(0, 40)}" (${element.tagName.toLowerCase()}.${element.className})`);
  }
  return [...faint];
}
