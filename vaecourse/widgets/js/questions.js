// Questions whose choices open: the first one that the reader opens is marked as the answer, and several questions keep a score.

const COLORS = { right: "#009E73", wrong: "#D55E00" }; // green and vermilion, told apart by all eyes; ✓ and ✗ say the same

export function bringToLife(mark) {
  for (const root of document.querySelectorAll(`[data-vae="${mark}"]:not([data-live])`)) {
    root.dataset.live = "yes";
    const questions = [...root.querySelectorAll("[role=group]")];
    const line = document.createElement("p");
    line.setAttribute("role", "status");
    root.append(line);
    const answers = new Map(); // from a question to whether the first choice was right
    questions.forEach((question) => {
      const choices = [...question.querySelectorAll("details")];
      for (const choice of choices) {
        choice.addEventListener("toggle", () => {
          if (!choice.open || answers.has(question)) return;
          const right = choice.dataset.right === "1";
          answers.set(question, right);
          choice.querySelector("summary").append(right ? "  ✓ your choice" : "  ✗ your choice");
          choice.style.borderLeft = `4px solid ${right ? COLORS.right : COLORS.wrong}`;
          choice.style.paddingLeft = "6px";
          if (!right) {
            const best = choices.find((other) => other.dataset.right === "1");
            best.style.borderLeft = `4px solid ${COLORS.right}`;
            best.style.paddingLeft = "6px";
          }
          line.textContent = said(questions, answers, choices, right);
        });
      }
    });
  }
}

function said(questions, answers, choices, right) {
  const best = choices.find((choice) => choice.dataset.right === "1").querySelector("summary").textContent.slice(0, 3);
  const verdict = right ? "Right." : `Not so: ${best} is right. Open the other choices to see why they tempt.`;
  if (questions.length === 1) return verdict;
  const score = [...answers.values()].filter(Boolean).length;
  return `${verdict} Right at the first try: ${score} of ${answers.size} answered, of ${questions.length} questions in all.`;
}
