/*
 * server/fold.h: letters without case, for names of people. Private to the server room.
 */
#ifndef LANYARD_SERVER_FOLD_H
#define LANYARD_SERVER_FOLD_H

/*
 * Turns capital letters into small ones, in place. `string` must be valid UTF-8. What is equal
 * must not depend on the machine, so no locale is asked; what is not a letter of the alphabets
 * in fold.c stays as it is, and no two characters that look alike are made one (security C5).
 */
void fold_case(char *string);

#endif
