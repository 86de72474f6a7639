"""The command line: parse, call one function, print one report. The only room that exits."""
