// Nothing: a library of precompiled headers wants one source file.
