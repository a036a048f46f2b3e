// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes of what concerns sockets, network devices and firewalls. Those that make anything run in a
 * network namespace of their own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/inet_diag.h>
#include <linux/net_namespace.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/netlink.h"
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

/* One request on a socket of its own; @request is consumed. */
static int ask(int protocol, struct nl_msg *request, const char *what, struct err *err)
{
	_cleanup_nl_sock_ struct nl_sock *sock = NULL;
	int ret = netlink_open(protocol, &sock, err);

	if (ret == 0)
		return netlink_talk(sock, &request, 1, NULL, what, err);
	nlmsg_free(request);
	return ret;
}

int probe_net_diag_raw(struct err *err)
{
	struct inet_diag_req_v2 head = { .sdiag_family = AF_INET,
					 .sdiag_protocol = IPPROTO_RAW,
					 .idiag_states = UINT32_MAX };

	return ask(NETLINK_SOCK_DIAG,
		   netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &head, sizeof(head)),
		   "sock_diag of raw sockets", err);
}

static int open_netns(struct err *err)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(err, "open '/proc/self/ns/net'") : fd;
}

int probe_nsid(struct err *err)
{
	struct rtgenmsg head = { .rtgen_family = AF_UNSPEC };
	_cleanup_close_ int netns = open_netns(err);

	if (netns < 0)
		return netns;
	struct nl_msg *request = netlink_request(RTM_GETNSID, NLM_F_ACK, &head, sizeof(head));
	netlink_put(request, NETNSA_FD, &netns, sizeof(netns));
	return ask(NETLINK_ROUTE, request, "RTM_GETNSID", err);
}

/* Makes a veth device "crib0" here whose peer is in @netns. */
static int make_veth(struct nl_sock *sock, int netns, struct err *err)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nl_msg *request = netlink_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
						 &head, sizeof(head));

	netlink_put_text(request, IFLA_IFNAME, "crib0");
	struct nlattr *info = netlink_nest(request, IFLA_LINKINFO);
	netlink_put_text(request, IFLA_INFO_KIND, "veth");
	struct nlattr *data = netlink_nest(request, IFLA_INFO_DATA);
	struct nlattr *peer = netlink_nest(request, VETH_INFO_PEER);
	nlmsg_append(request, &head, sizeof(head), NLMSG_ALIGNTO);
	netlink_put_text(request, IFLA_IFNAME, "crib1");
	netlink_put(request, IFLA_NET_NS_FD, &netns, sizeof(netns));
	nla_nest_end(request, peer);
	nla_nest_end(request, data);
	nla_nest_end(request, info);
	return netlink_talk(sock, &request, 1, NULL, "make a veth pair", err);
}

static int try_link_nsid(struct err *err)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	_cleanup_nl_sock_ struct nl_sock *sock = NULL;
	_cleanup_nl_msg_ struct nl_msg *reply = NULL;
	_cleanup_close_ int other = open_netns(err);

	if (other < 0)
		return other;
	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(err, "unshare(CLONE_NEWNET)");
	int ret = netlink_open(NETLINK_ROUTE, &sock, err);
	if (ret == 0)
		ret = make_veth(sock, other, err);
	if (ret < 0)
		return ret;
	struct nl_msg *request = netlink_request(RTM_GETLINK, NLM_F_ACK, &head, sizeof(head));
	netlink_put_text(request, IFLA_IFNAME, "crib0");
	ret = netlink_talk(sock, &request, 1, &reply, "RTM_GETLINK", err);
	if (ret < 0)
		return ret;
	if (!reply || !nlmsg_find_attr(nlmsg_hdr(reply), sizeof(head), IFLA_LINK_NETNSID))
		return err_set(err, -EOPNOTSUPP, "RTM_GETLINK does not tell the peer's namespace");
	return 0;
}

int probe_link_nsid(struct err *err)
{
	return probe_in_child(CLONE_NEWNET, try_link_nsid, err);
}

/* Index 0 is never good: a kernel that knows the attribute refuses, an older one ignores it. */
static int try_newifindex(struct err *err)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = 1 };
	struct nl_msg *request = netlink_request(RTM_SETLINK, NLM_F_ACK, &head, sizeof(head));
	int32_t index = 0;

	netlink_put(request, LINK_NEW_IFINDEX, &index, sizeof(index));
	int ret = ask(NETLINK_ROUTE, request, "RTM_SETLINK with IFLA_NEW_IFINDEX", err);
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

	return ask(NETLINK_NETFILTER,
		   netlink_request(nft_type(NFT_MSG_GETGEN), NLM_F_ACK, &head, sizeof(head)),
		   "nftables", err);
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
	_cleanup_nl_sock_ struct nl_sock *sock = NULL;
	int ret = netlink_open(NETLINK_NETFILTER, &sock, err);

	if (ret < 0)
		return ret;
	struct nl_msg *table =
		netlink_request(nft_type(NFT_MSG_NEWTABLE), NLM_F_CREATE, &head, sizeof(head));
	netlink_put_text(table, NFTA_TABLE_NAME, "crib");
	struct nl_msg *set = netlink_request(nft_type(NFT_MSG_NEWSET), NLM_F_CREATE | NLM_F_ACK,
					     &head, sizeof(head));
	netlink_put_text(set, NFTA_SET_TABLE, "crib");
	netlink_put_text(set, NFTA_SET_NAME, "conns");
	netlink_put(set, NFTA_SET_FLAGS, &flags, sizeof(flags));
	netlink_put(set, NFTA_SET_KEY_TYPE, &key_type, sizeof(key_type));
	netlink_put(set, NFTA_SET_KEY_LEN, &key_len, sizeof(key_len));
	netlink_put(set, NFTA_SET_ID, &id, sizeof(id));
	struct nl_msg *requests[] = {
		netlink_request(NFNL_MSG_BATCH_BEGIN, 0, &batch, sizeof(batch)),
		table,
		set,
		netlink_request(NFNL_MSG_BATCH_END, 0, &batch, sizeof(batch)),
	};
	return netlink_talk(sock, requests, ARRAY_SIZE(requests), NULL, "nftables: make a set",
			    err);
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
