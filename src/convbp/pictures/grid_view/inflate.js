// Stands for grid_view.js and its style sheet, at a third of their size.
const bytes = Uint8Array.from(atob("DEFLATED"), (letter) => letter.charCodeAt(0));
const { script, style } = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
const { default: view } = await import(url);
URL.revokeObjectURL(url);
export default { render: (context) => view.render({ ...context, style }) };
