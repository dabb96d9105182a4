CORRECT: dict = {}

WRONG: dict = {}
