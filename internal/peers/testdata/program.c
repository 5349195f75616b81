#include <fcgiapp.h>
#include <stdlib.h>
#include <string.h>

/* A FastCGI program over the library of FastCGI's authors, which listens on
   the address in its first argument. In the place of a sum of the body it has
   the sum of its bytes. */
int main(int argc, char **argv) {
	FCGX_Request r;
	if (argc != 2 || FCGX_Init() != 0 || FCGX_InitRequest(&r, FCGX_OpenSocket(argv[1], 16), 0) != 0)
		return 1;
	while (FCGX_Accept_r(&r) == 0) {
		const char *path = FCGX_GetParam("PATH_INFO", r.envp);
		unsigned long length = 0, sum = 0;
		int c;
		if (strcmp(path, "/stream") == 0) {
			FCGX_FPrintF(r.out, "Content-Type: text/plain\r\n\r\n");
			for (c = 0; c < 1000; c++)
				FCGX_FPrintF(r.out, "block %d\n", c);
		} else if (strcmp(path, "/fails") == 0) {
			FCGX_FPrintF(r.err, "the application fails\n");
			FCGX_FPrintF(r.out, "Status: 500 Internal Server Error\r\n\r\n");
		} else {
			while ((c = FCGX_GetChar(r.in)) != -1) {
				length++;
				sum += c;
			}
			FCGX_FPrintF(r.out, "Status: 201 Made\r\nContent-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n%s %s %s %u %u",
				FCGX_GetParam("REQUEST_METHOD", r.envp), path + strlen("/see/"), FCGX_GetParam("QUERY_STRING", r.envp),
				(unsigned)length, (unsigned)sum);
		}
		FCGX_Finish_r(&r);
	}
	return 0;
}
