/*
 * server/main.c: the program. Everything is in the table of command.c.
 */
#include "server/command.h"

int main(int count, char **words)
{
    return (int)command_run(count, words);
}
