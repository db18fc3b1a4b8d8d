// MathJax, from this site alone.
globalThis.MathJax = {
  loader: { load: ["core", "input/tex", "output/chtml"] },
  tex: { inlineMath: [["\\(", "\\)"]], displayMath: [["\\[", "\\]"]] },
  options: { ignoreHtmlClass: ".*", processHtmlClass: "math" },
};
