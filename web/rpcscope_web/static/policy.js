// plotly.js under our content-security-policy, which allows styles from files alone and what scripts set by the CSSOM.
const setAttribute = Element.prototype.setAttribute;

// It sets a few styles as attributes: the CSSOM does the same.
Element.prototype.setAttribute = function (name, value) {
  if (name === "style" && this.style) this.style.cssText = value;
  else setAttribute.call(this, name, value);
};

// The rules of its maps come as a style element when it is loaded. There are no maps here: they go nowhere.
export async function withoutStyleElements(load) {
  const create = document.createElement;
  document.createElement = (name, options) => create.call(document, name === "style" ? "template" : name, options);
  try {
    return await load();
  } finally {
    document.createElement = create;
  }
}
