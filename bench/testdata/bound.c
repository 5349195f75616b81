/* The least that a server can do for a request which is a connection: accept,
 * read, write what is always the same, close. Only where nothing has come yet
 * is the connection waited for. Descriptor 3 listens; the argument is the answer. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTENER = 3, MOST = 64 };

/* serve answers when something has come, and reports whether it is done. */
static int serve(int fd, const char *answer, size_t length)
{
	char request[8192];
	ssize_t n = read(fd, request, sizeof request);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n > 0)
		n = write(fd, answer, length); /* it fails when the other side has left */
	close(fd);
	return 1;
}

int main(int argc, char **argv)
{
	struct epoll_event events[MOST], event = { .events = EPOLLIN, .data.fd = LISTENER };
	int poller = epoll_create1(EPOLL_CLOEXEC);
	size_t length;

	if (argc != 2 || poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, LISTENER, &event) < 0)
		return 2;
	length = strlen(argv[1]);
	signal(SIGPIPE, SIG_IGN);
	fcntl(LISTENER, F_SETFL, fcntl(LISTENER, F_GETFL) | O_NONBLOCK);
	for (;;) {
		int i, n = epoll_wait(poller, events, MOST, -1);
		for (i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd != LISTENER) {
				serve(fd, argv[1], length);
				continue;
			}
			while ((fd = accept4(LISTENER, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
				event.data.fd = fd;
				if (!serve(fd, argv[1], length) && epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0)
					close(fd);
			}
		}
	}
}
