// The terminal library writes styles into the page as it runs: <style> elements
// and style attributes. The server's content security policy allows neither, as
// it should; the same through the object model is allowed.

// styleElement makes what stands for a <style> element: its text is a style sheet
// of the document. A real one breaks the policy even while it is empty.
function styleElement(create: typeof document.createElement): HTMLElement {
  const element = create("template");
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, "textContent", {
    get: () => [...sheet.cssRules].map((rule) => rule.cssText).join("\n"),
    set: (text: string) => sheet.replaceSync(text),
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== sheet);
    HTMLElement.prototype.remove.call(element);
  };
  return element;
}

// allowStyles makes styles that scripts write work under the policy.
export function allowStyles(): void {
  const create = document.createElement.bind(document);
  document.createElement = ((name: string, options?: ElementCreationOptions) =>
    name.toLowerCase() === "style" ? styleElement(create) : create(name, options)) as typeof document.createElement;

  const setAttribute = HTMLElement.prototype.setAttribute;
  HTMLElement.prototype.setAttribute = function (name: string, value: string) {
    if (name === "style") {
      this.style.cssText = value;
    } else {
      setAttribute.call(this, name, value);
    }
  };
}
