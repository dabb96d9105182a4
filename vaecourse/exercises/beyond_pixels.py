EXERCISES = ()

QUIZ = ()
