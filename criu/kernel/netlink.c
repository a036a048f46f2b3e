// SPDX-License-Identifier: GPL-2.0-only
/*
 * Questions by netlink, see netlink.h.
 */
#include <assert.h>
#include <errno.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>

#include "kernel/netlink.h"

/* A batch has no more. */
enum { REQUESTS_MAX = 8 };

int netlink_open(int protocol, struct nl_sock **ret_sock, struct err *err)
{
	struct nl_sock *sock = nl_socket_alloc();

	if (!sock)
		return err_set(err, -ENOMEM, "make a netlink socket");
	int ret = nl_connect(sock, protocol);
	if (ret < 0) {
		nl_socket_free(sock);
		return err_set(err, -EOPNOTSUPP, "open netlink %d: %s", protocol, nl_geterror(ret));
	}
	*ret_sock = sock;
	return 0;
}

struct nl_msg *netlink_request(int type, int flags, const void *head, size_t head_len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

	int ret = msg ? nlmsg_append(msg, (void *)(uintptr_t)head, head_len, NLMSG_ALIGNTO) : -1;

	assert(ret == 0);
	(void)ret;
	return msg;
}

void netlink_put(struct nl_msg *msg, int type, const void *data, size_t len)
{
	int ret = nla_put(msg, type, (int)len, data);

	assert(ret == 0);
	(void)ret;
}

void netlink_put_text(struct nl_msg *msg, int type, const char *text)
{
	netlink_put(msg, type, text, strlen(text) + 1);
}

struct nlattr *netlink_nest(struct nl_msg *msg, int type)
{
	struct nlattr *attr = nla_nest_start(msg, type);

	assert(attr);
	return attr;
}

struct answer {
	struct nl_msg *first;
	int error; /* -errno of a refusal */
	bool ended;
};

static int on_message(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;

	if (!answer->first) {
		nlmsg_get(msg);
		answer->first = msg;
	}
	return NL_OK;
}

static int on_acknowledged(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;

	answer->ended = true;
	return NL_STOP;
}

/* The end of a dump brings the number of an error, or 0. */
static int on_finished(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;

	if ((size_t)nlmsg_datalen(nlmsg_hdr(msg)) >= sizeof(answer->error))
		memcpy(&answer->error, nlmsg_data(nlmsg_hdr(msg)), sizeof(answer->error));
	answer->ended = true;
	return NL_STOP;
}

/* Several requests are on their way at once, on a socket that nobody else has. */
static int on_sequence(struct nl_msg *msg, void *arg)
{
	return NL_OK;
}

static int on_refusal(struct sockaddr_nl *from, struct nlmsgerr *refusal, void *arg)
{
	struct answer *answer = arg;

	answer->error = refusal->error;
	answer->ended = true;
	return NL_STOP;
}

static int send_all(struct nl_sock *sock, struct nl_msg **requests, size_t n)
{
	struct iovec iov[REQUESTS_MAX];

	assert(n > 0 && n <= REQUESTS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct nlmsghdr *hdr = nlmsg_hdr(requests[i]);

		hdr->nlmsg_seq = nl_socket_use_seq(sock);
		hdr->nlmsg_pid = nl_socket_get_local_port(sock);
		iov[i] = (struct iovec){ .iov_base = hdr, .iov_len = NLMSG_ALIGN(hdr->nlmsg_len) };
	}
	return nl_send_iovec(sock, requests[0], iov, (unsigned int)n);
}

static int receive(struct nl_sock *sock, struct answer *answer)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret = cb ? 0 : -NLE_NOMEM;

	if (cb) {
		nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_message, answer);
		nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finished, answer);
		nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_acknowledged, answer);
		nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, answer);
		nl_cb_err(cb, NL_CB_CUSTOM, on_refusal, answer);
	}
	while (ret >= 0 && !answer->ended)
		ret = nl_recvmsgs(sock, cb);
	nl_cb_put(cb);
	return answer->ended ? 0 : ret;
}

int netlink_talk(struct nl_sock *sock, struct nl_msg **requests, size_t n,
		 struct nl_msg **ret_reply, const char *what, struct err *err)
{
	struct answer answer = { 0 };
	int ret = send_all(sock, requests, n);

	for (size_t i = 0; i < n; i++)
		nlmsg_free(requests[i]);
	if (ret >= 0)
		ret = receive(sock, &answer);
	if (ret < 0)
		ret = err_set(err, -EIO, "%s: %s", what, nl_geterror(ret));
	else if (answer.error < 0)
		ret = err_ret(err, answer.error, "%s", what);
	if (ret == 0 && ret_reply)
		*ret_reply = answer.first;
	else
		nlmsg_free(answer.first);
	return ret;
}
