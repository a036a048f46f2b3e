/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions to the kernel by netlink(7), with libnl (package libnl-3-dev) for sockets and messages.
 */
#ifndef CRIB_KERNEL_NETLINK_H
#define CRIB_KERNEL_NETLINK_H

#include <netlink/msg.h>
#include <netlink/socket.h>

#include "base/err.h"

/* A socket of @protocol (NETLINK_*). 0, and the caller frees *ret_sock; or -errno. */
int netlink_open(int protocol, struct nl_sock **ret_sock, struct err *err);

/* A request of @type with @flags (NLM_F_*) that begins with @head. Never NULL; nlmsg_free(). */
struct nl_msg *netlink_request(int type, int flags, const void *head, size_t head_len);

/* Appends an attribute; what does not fit is a bug. */
void netlink_put(struct nl_msg *msg, int type, const void *data, size_t len);
void netlink_put_text(struct nl_msg *msg, int type, const char *text);
struct nlattr *netlink_nest(struct nl_msg *msg, int type);

/*
 * Sends @n requests, consumed, in one datagram and reads until one is acknowledged, refused or,
 * with NLM_F_DUMP, answered to the end: give one of them NLM_F_ACK or NLM_F_DUMP. The first message
 * that came before goes to @ret_reply (optional; NULL: none came). 0, or the kernel's -errno,
 * described as that of @what.
 */
int netlink_talk(struct nl_sock *sock, struct nl_msg **requests, size_t n,
		 struct nl_msg **ret_reply, const char *what, struct err *err);

static inline void cleanup_nl_sock(struct nl_sock **sock)
{
	nl_socket_free(*sock);
}

static inline void cleanup_nl_msg(struct nl_msg **msg)
{
	nlmsg_free(*msg);
}

#define _cleanup_nl_sock_ __attribute__((cleanup(cleanup_nl_sock)))
#define _cleanup_nl_msg_  __attribute__((cleanup(cleanup_nl_msg)))

#endif /* CRIB_KERNEL_NETLINK_H */
