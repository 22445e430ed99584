# Every figure is that of the chapter.
wick model v0 --state-dict --dummy rand
