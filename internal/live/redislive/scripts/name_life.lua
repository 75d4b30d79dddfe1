-- Names the life of the data, and begins one where none is.
--
-- KEYS: live:life
-- Result: the name; another one than before means that anything written before may be
-- missing.
return (life(KEYS[1]))
