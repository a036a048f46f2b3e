// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes of what concerns sockets, network devices and firewalls. Those that make anything run in a
 * network namespace of their own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/inet_diag.h>
#include <linux/net_namespace.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <linux/veth.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/probe.h"

/* Newer than some headers: uapi/linux/unix_diag.h's ioctl, asm-generic/socket.h, linux/if_link.h */
#ifndef SIOCUNIXFILE
#define SIOCUNIXFILE (SIOCPROTOPRIVATE + 0)
#endif
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif
enum { LINK_NEW_IFINDEX = 49 };

/* One request, and the first part of its answer. */
struct nl_message {
	_Alignas(8) char data[4096];
	size_t len;
};

static struct nlmsghdr *nl_begin(struct nl_message *msg, int type, int flags, const void *head,
				 size_t head_len)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)(msg->data + msg->len);

	memset(hdr, 0, NLMSG_SPACE(head_len));
	hdr->nlmsg_type = (uint16_t)type;
	hdr->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	hdr->nlmsg_len = (uint32_t)NLMSG_LENGTH(head_len);
	memcpy(NLMSG_DATA(hdr), head, head_len);
	msg->len += NLMSG_SPACE(head_len);
	return hdr;
}

/* Appends an attribute to @hdr, the last part of @msg. Returns it, to be closed by nl_close(). */
static struct nlattr *nl_put(struct nl_message *msg, struct nlmsghdr *hdr, int type,
			     const void *data, size_t len)
{
	struct nlattr *attr = (struct nlattr *)(msg->data + msg->len);

	attr->nla_type = (uint16_t)type;
	attr->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memset((char *)attr + NLA_HDRLEN, 0, NLA_ALIGN(len));
	if (len)
		memcpy((char *)attr + NLA_HDRLEN, data, len);
	msg->len += NLA_HDRLEN + NLA_ALIGN(len);
	hdr->nlmsg_len = (uint32_t)(msg->data + msg->len - (char *)hdr);
	return attr;
}

/* Ends a nested attribute: all that was put since belongs to it. */
static void nl_close(const struct nl_message *msg, struct nlattr *attr)
{
	attr->nla_len = (uint16_t)(msg->data + msg->len - (char *)attr);
}

static int nl_open(int protocol, struct err *err)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	return fd < 0 ? err_sys(err, "open netlink %d", protocol) : fd;
}

/* Sends @request; its answer is in @reply. 0, or the -errno that the kernel answered with. */
static int nl_talk(int fd, const struct nl_message *request, struct nl_message *reply,
		   const char *what, struct err *err)
{
	if (send(fd, request->data, request->len, 0) < 0)
		return err_sys(err, "%s: send", what);
	ssize_t n = recv(fd, reply->data, sizeof(reply->data), 0);
	if (n < 0)
		return err_sys(err, "%s: receive", what);
	reply->len = (size_t)n;
	const struct nlmsghdr *hdr = (const struct nlmsghdr *)reply->data;
	if (!NLMSG_OK(hdr, n))
		return err_set(err, -EBADMSG, "%s: a truncated answer", what);
	/* both begin with the number of an error, the end of a dump too */
	if (hdr->nlmsg_type != NLMSG_ERROR && hdr->nlmsg_type != NLMSG_DONE)
		return 0;
	int code = 0;
	if (hdr->nlmsg_len >= NLMSG_LENGTH(sizeof(code)))
		memcpy(&code, NLMSG_DATA(hdr), sizeof(code));
	return code < 0 ? err_ret(err, code, "%s", what) : 0;
}

/* True when the answer to a link request has an attribute of @type. */
static bool reply_has_attr(const struct nl_message *reply, size_t head_len, int type)
{
	const struct nlmsghdr *hdr = (const struct nlmsghdr *)reply->data;
	size_t pos = NLMSG_SPACE(head_len);

	while (pos + sizeof(struct nlattr) <= hdr->nlmsg_len) {
		const struct nlattr *attr = (const struct nlattr *)(reply->data + pos);

		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return true;
		if (attr->nla_len < sizeof(*attr))
			return false;
		pos += NLA_ALIGN(attr->nla_len);
	}
	return false;
}

static int open_tun(struct err *err)
{
	struct ifreq req = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	_cleanup_close_ int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "open '/dev/net/tun'");
	if (ioctl(fd, TUNSETIFF, &req) < 0)
		return err_sys(err, "ioctl(TUNSETIFF)");
	return take_fd(&fd);
}

static int try_tun(struct err *err)
{
	_cleanup_close_ int fd = open_tun(err);
	struct ifreq req = { 0 };

	if (fd < 0)
		return fd;
	return ioctl(fd, TUNGETIFF, &req) < 0 ? err_sys(err, "ioctl(TUNGETIFF)") : 0;
}

int probe_tun(struct err *err)
{
	return probe_in_child(CLONE_NEWNET, try_tun, err);
}

static int get_netns(int fd, struct err *err)
{
	_cleanup_close_ int netns = ioctl(fd, SIOCGSKNS);

	return netns < 0 ? err_sys(err, "ioctl(SIOCGSKNS)") : 0;
}

static int try_tun_ns(struct err *err)
{
	_cleanup_close_ int fd = open_tun(err);

	return fd < 0 ? fd : get_netns(fd, err);
}

int probe_tun_ns(struct err *err)
{
	return probe_in_child(CLONE_NEWNET, try_tun_ns, err);
}

static int try_sk_ns(struct err *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? err_sys(err, "open a unix socket") : get_netns(fd, err);
}

int probe_sk_ns(struct err *err)
{
	return probe_in_child(CLONE_NEWNET, try_sk_ns, err);
}

/* A socket without a name has no file, and a kernel that says so knows the question. */
int probe_sk_unix_file(struct err *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(err, "open a unix socket");
	_cleanup_close_ int file = ioctl(fd, SIOCUNIXFILE);
	return file < 0 && errno != ENOENT ? err_sys(err, "ioctl(SIOCUNIXFILE)") : 0;
}

static int set_lo_up(int fd, struct err *err)
{
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	return ioctl(fd, SIOCSIFFLAGS, &req) < 0 ? err_sys(err, "set 'lo' up") : 0;
}

/* A connection whose one side has sent its FIN must accept the repair mode. */
static int try_tcp_half_closed(struct err *err)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int on = 1;
	_cleanup_close_ int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_close_ int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (server < 0 || client < 0)
		return err_sys(err, "open TCP sockets");
	int ret = set_lo_up(server, err);
	if (ret < 0)
		return ret;
	if (bind(server, (struct sockaddr *)&addr, len) < 0 || listen(server, 1) < 0 ||
	    getsockname(server, (struct sockaddr *)&addr, &len) < 0 ||
	    connect(client, (struct sockaddr *)&addr, len) < 0 || shutdown(client, SHUT_WR) < 0)
		return err_sys(err, "connect TCP sockets");
	if (setsockopt(client, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) < 0)
		return err_sys(err, "setsockopt(TCP_REPAIR) of a half-closed socket");
	return 0;
}

int probe_tcp_half_closed(struct err *err)
{
	return probe_in_child(CLONE_NEWNET, try_tcp_half_closed, err);
}

int probe_sockopt_buf_lock(struct err *err)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int value = 0;

	if (fd < 0)
		return err_sys(err, "open a UDP socket");
	if (setsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &value, sizeof(value)) < 0)
		return err_sys(err, "setsockopt(SO_BUF_LOCK)");
	return 0;
}

int probe_ipv6_freebind(struct err *err)
{
	_cleanup_close_ int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return err_sys(err, "open an IPv6 socket");
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)) < 0)
		return err_sys(err, "setsockopt(IPV6_FREEBIND)");
	return 0;
}

int probe_net_diag_raw(struct err *err)
{
	struct inet_diag_req_v2 head = { .sdiag_family = AF_INET,
					 .sdiag_protocol = IPPROTO_RAW,
					 .idiag_states = UINT32_MAX };
	struct nl_message request = { .len = 0 }, reply;
	_cleanup_close_ int fd = nl_open(NETLINK_SOCK_DIAG, err);

	if (fd < 0)
		return fd;
	nl_begin(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &head, sizeof(head));
	return nl_talk(fd, &request, &reply, "sock_diag of raw sockets", err);
}

static int open_netns(struct err *err)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(err, "open '/proc/self/ns/net'") : fd;
}

int probe_nsid(struct err *err)
{
	struct rtgenmsg head = { .rtgen_family = AF_UNSPEC };
	struct nl_message request = { .len = 0 }, reply;
	_cleanup_close_ int fd = nl_open(NETLINK_ROUTE, err);
	_cleanup_close_ int netns = fd < 0 ? -1 : open_netns(err);

	if (netns < 0)
		return fd < 0 ? fd : netns;
	struct nlmsghdr *hdr = nl_begin(&request, RTM_GETNSID, 0, &head, sizeof(head));
	nl_put(&request, hdr, NETNSA_FD, &netns, sizeof(netns));
	return nl_talk(fd, &request, &reply, "RTM_GETNSID", err);
}

/* Makes a veth device "crib0" here whose peer is in @netns. */
static int make_veth(int fd, int netns, struct err *err)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nl_message request = { .len = 0 }, reply;
	struct nlmsghdr *hdr = nl_begin(&request, RTM_NEWLINK,
					NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &head, sizeof(head));

	nl_put(&request, hdr, IFLA_IFNAME, "crib0", sizeof("crib0"));
	struct nlattr *info = nl_put(&request, hdr, IFLA_LINKINFO, NULL, 0);
	nl_put(&request, hdr, IFLA_INFO_KIND, "veth", sizeof("veth"));
	struct nlattr *data = nl_put(&request, hdr, IFLA_INFO_DATA, NULL, 0);
	struct nlattr *peer = nl_put(&request, hdr, VETH_INFO_PEER, &head, sizeof(head));
	nl_put(&request, hdr, IFLA_IFNAME, "crib1", sizeof("crib1"));
	nl_put(&request, hdr, IFLA_NET_NS_FD, &netns, sizeof(netns));
	nl_close(&request, peer);
	nl_close(&request, data);
	nl_close(&request, info);
	return nl_talk(fd, &request, &reply, "make a veth pair", err);
}

static int try_link_nsid(struct err *err)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nl_message request = { .len = 0 }, reply;
	_cleanup_close_ int other = open_netns(err);

	if (other < 0)
		return other;
	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(err, "unshare(CLONE_NEWNET)");
	_cleanup_close_ int fd = nl_open(NETLINK_ROUTE, err);
	int ret = fd < 0 ? fd : make_veth(fd, other, err);
	if (ret < 0)
		return ret;
	struct nlmsghdr *hdr = nl_begin(&request, RTM_GETLINK, 0, &head, sizeof(head));
	nl_put(&request, hdr, IFLA_IFNAME, "crib0", sizeof("crib0"));
	ret = nl_talk(fd, &request, &reply, "RTM_GETLINK", err);
	if (ret == 0 && !reply_has_attr(&reply, sizeof(head), IFLA_LINK_NETNSID))
		ret = err_set(err, -EOPNOTSUPP, "RTM_GETLINK does not tell the peer's namespace");
	return ret;
}

int probe_link_nsid(struct err *err)
{
	return probe_in_child(CLONE_NEWNET, try_link_nsid, err);
}

/* Index 0 is never good: a kernel that knows the attribute refuses, an older one ignores it. */
static int try_newifindex(struct err *err)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = 1 };
	struct nl_message request = { .len = 0 }, reply;
	int32_t index = 0;
	_cleanup_close_ int fd = nl_open(NETLINK_ROUTE, err);

	if (fd < 0)
		return fd;
	struct nlmsghdr *hdr = nl_begin(&request, RTM_SETLINK, NLM_F_ACK, &head, sizeof(head));
	nl_put(&request, hdr, LINK_NEW_IFINDEX, &index, sizeof(index));
	int ret = nl_talk(fd, &request, &reply, "RTM_SETLINK with IFLA_NEW_IFINDEX", err);
	if (ret == 0)
		return err_set(err, -EOPNOTSUPP, "RTM_SETLINK ignores IFLA_NEW_IFINDEX");
	if (ret != -ERANGE)
		return ret;
	*err = ERR_INIT;
	return 0;
}

int probe_newifindex(struct err *err)
{
	return probe_in_child(CLONE_NEWNET, try_newifindex, err);
}

static int nft_type(int message)
{
	return NFNL_SUBSYS_NFTABLES << 8 | message;
}

static int try_nftables(struct err *err)
{
	struct nfgenmsg head = { .version = NFNETLINK_V0 };
	struct nl_message request = { .len = 0 }, reply;
	_cleanup_close_ int fd = nl_open(NETLINK_NETFILTER, err);

	if (fd < 0)
		return fd;
	nl_begin(&request, nft_type(NFT_MSG_GETGEN), 0, &head, sizeof(head));
	return nl_talk(fd, &request, &reply, "nftables", err);
}

int probe_nftables(struct err *err)
{
	return probe_in_child(CLONE_NEWNET, try_nftables, err);
}

/* A set of connections, with both addresses and ports as one key, as locks by nftables use. */
static int try_network_lock_nftables(struct err *err)
{
	enum { KEY_LEN = 16 };
	struct nfgenmsg batch = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };
	struct nfgenmsg head = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	uint32_t key_len = htonl(KEY_LEN), key_type = 0, id = htonl(1), flags = 0;
	struct nl_message request = { .len = 0 }, reply;
	_cleanup_close_ int fd = nl_open(NETLINK_NETFILTER, err);

	if (fd < 0)
		return fd;
	nl_begin(&request, NFNL_MSG_BATCH_BEGIN, 0, &batch, sizeof(batch));
	struct nlmsghdr *hdr =
		nl_begin(&request, nft_type(NFT_MSG_NEWTABLE), NLM_F_CREATE, &head, sizeof(head));
	nl_put(&request, hdr, NFTA_TABLE_NAME, "crib", sizeof("crib"));
	hdr = nl_begin(&request, nft_type(NFT_MSG_NEWSET), NLM_F_CREATE | NLM_F_ACK, &head,
		       sizeof(head));
	nl_put(&request, hdr, NFTA_SET_TABLE, "crib", sizeof("crib"));
	nl_put(&request, hdr, NFTA_SET_NAME, "conns", sizeof("conns"));
	nl_put(&request, hdr, NFTA_SET_FLAGS, &flags, sizeof(flags));
	nl_put(&request, hdr, NFTA_SET_KEY_TYPE, &key_type, sizeof(key_type));
	nl_put(&request, hdr, NFTA_SET_KEY_LEN, &key_len, sizeof(key_len));
	nl_put(&request, hdr, NFTA_SET_ID, &id, sizeof(id));
	nl_begin(&request, NFNL_MSG_BATCH_END, 0, &batch, sizeof(batch));
	return nl_talk(fd, &request, &reply, "nftables: make a set", err);
}

int probe_network_lock_nftables(struct err *err)
{
	return probe_in_child(CLONE_NEWNET, try_network_lock_nftables, err);
}

int probe_ipt_legacy(struct err *err)
{
	struct ipt_getinfo info = { .name = "filter" };
	socklen_t len = sizeof(info);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (fd < 0)
		return err_sys(err, "open a raw socket");
	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &len) < 0)
		return err_sys(err, "getsockopt(IPT_SO_GET_INFO) of table 'filter'");
	return 0;
}

/* No question to the kernel: it is crib that would have to leave the namespace out. */
int probe_external_net_ns(struct err *err)
{
	return err_set(err, -EOPNOTSUPP, "crib cannot dump network namespaces yet");
}
