// Small things that need no framework: asking before a button that cannot be undone.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm || event.submitter?.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  navigator.clipboard?.writeText(document.getElementById(button.dataset.copy).textContent.trim());
  button.textContent = "Copied";
});
// One more of a formset's forms: a button with data-add="PREFIX" puts a copy of the template PREFIX-empty
// before itself. Templates may hold further ones, whose prefixes begin with this one.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-add]");
  if (!button) return;
  const prefix = button.dataset.add;
  const total = document.getElementById(`id_${prefix}-TOTAL_FORMS`);
  const form = document.getElementById(`${prefix}-empty`).innerHTML.replaceAll(`${prefix}-__prefix__`, `${prefix}-${total.value}`);
  total.value = Number(total.value) + 1;
  const place = button.parentElement.matches("div") && button.parentElement.children.length === 1 ? button.parentElement : button;
  place.insertAdjacentHTML("beforebegin", form);
  place.previousElementSibling.querySelector("input:not([type=hidden]), select, textarea")?.focus();
});
