// dnsblast - a small UDP DNS load generator that costs less CPU per query than the servers it measures.
// NOLINT(size): one tool in one file
//
//   peak mode  (--rate 0)   closed loop: keeps --window queries outstanding, spread over --sockets connected
//                           UDP sockets; refills a socket with one sendmmsg, drains it with one recvmmsg.
//   rate mode  (--rate N)   open loop: one query at each scheduled instant; latency is counted from the
//                           *scheduled* instant, so a stalled server is not flattered (no coordinated omission).
//
// The client's place varies: socket i is bound to 127.(1 + i mod R).(i / R).7 (R = --regions), or, with
// --src same, all are bound to 127.0.0.1.  --ecs P puts an EDNS Client Subnet option (10.r.x.0/24) on P% of queries.
// --gso sends runs of equal-length queries of one socket as one UDP_SEGMENT super-packet (cheaper sending).
// --pids a,b,c reads the servers' own CPU time (schedstat, all threads) over the measured interval.
// One line of JSON on stdout.  Bounded: it always ends after warmup + duration (+ 0.3 s drain).
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static inline uint64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return uint64_t(t.tv_sec) * 1000000000ull + t.tv_nsec;
}

struct Hist {  // log-linear: 64 sub-buckets an octave, < 1.6% error
  std::vector<uint64_t> b = std::vector<uint64_t>(64 * 42, 0);
  uint64_t n = 0, max = 0;
  void add(uint64_t v) {
    if (v > max) max = v;
    n++;
    if (v < 64) { b[v]++; return; }
    int e = 63 - __builtin_clzll(v);
    size_t i = size_t(e - 5) * 64 + ((v >> (e - 6)) & 63);
    b[std::min(i, b.size() - 1)]++;
  }
  void merge(const Hist& o) {
    for (size_t i = 0; i < b.size(); i++) b[i] += o.b[i];
    n += o.n;
    max = std::max(max, o.max);
  }
  double q(double p) const {
    uint64_t want = uint64_t(std::ceil(p * n)), acc = 0;
    for (size_t i = 0; i < b.size(); i++) {
      acc += b[i];
      if (acc >= want && acc) {
        if (i < 64) return double(i);
        int e = int(i / 64) + 5;
        return double((64 + (i & 63))) * std::pow(2.0, e - 6);
      }
    }
    return double(max);
  }
};

struct Opt {
  std::string host = "127.0.0.1", queries, src = "vary", pids;
  int port = 53, threads = 1, sockets = 32, window = 256, edns = 1232, ecs = 0, regions = 4, cpu = -1, batch = 64;
  double rate = 0, duration = 3, warmup = 0.5;
  bool gso = false, nospin = false;
  long seed = 1;
} opt;

struct Pkt { uint32_t off; uint16_t len; };
static std::vector<uint8_t> blob;
static std::vector<Pkt> pkts;

static uint64_t rng_state;
static inline uint64_t rnd() {
  rng_state ^= rng_state << 13; rng_state ^= rng_state >> 7; rng_state ^= rng_state << 17;
  return rng_state;
}
static int qtype(const std::string& s) {
  if (s == "A") return 1;
  if (s == "NS") return 2;
  if (s == "SOA") return 6;
  if (s == "TXT") return 16;
  if (s == "AAAA") return 28;
  if (s == "SRV") return 33;
  if (s == "ANY") return 255;
  if (s == "HTTPS") return 65;
  return atoi(s.c_str());
}
static void load_queries() {
  rng_state = 88172645463325252ull + opt.seed;
  std::ifstream f(opt.queries);
  std::string name, type;
  while (f >> name >> type) {
    std::vector<uint8_t> p = {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    size_t i = 0;
    while (i < name.size()) {
      size_t j = name.find('.', i);
      if (j == std::string::npos) j = name.size();
      if (j > i) { p.push_back(uint8_t(j - i)); p.insert(p.end(), name.begin() + i, name.begin() + j); }
      i = j + 1;
    }
    p.push_back(0);
    int t = qtype(type);
    p.insert(p.end(), {uint8_t(t >> 8), uint8_t(t), 0, 1});
    if (opt.edns) {
      bool ecs = opt.ecs && int(rnd() % 100) < opt.ecs;
      p[11] = 1;
      uint8_t rdlen = ecs ? 11 : 0;
      p.insert(p.end(), {0, 0, 41, uint8_t(opt.edns >> 8), uint8_t(opt.edns), 0, 0, 0, 0, 0, rdlen});
      if (ecs)
        p.insert(p.end(), {0, 8, 0, 7, 0, 1, 24, 0, 10, uint8_t(1 + rnd() % opt.regions), uint8_t(rnd() % 64)});
    }
    pkts.push_back({uint32_t(blob.size()), uint16_t(p.size())});
    blob.insert(blob.end(), p.begin(), p.end());
  }
  if (pkts.empty()) { fprintf(stderr, "no queries in %s\n", opt.queries.c_str()); exit(2); }
  if (opt.gso) std::stable_sort(pkts.begin(), pkts.end(), [](auto& a, auto& b) { return a.len < b.len; });
}

struct Stats {
  uint64_t sent = 0, recv = 0, lost = 0, stray = 0, rcode[16] = {0}, tc = 0, an = 0, bytes = 0, qbytes = 0, full = 0;
  Hist h;
};
static std::atomic<bool> measuring{false}, stop_send{false}, stop_all{false};

struct Slot { uint64_t t; uint16_t gen; bool busy, counted; };
struct Sock { int fd; std::vector<Slot> slots; std::vector<uint16_t> freelist; uint32_t rr = 0; };

static std::vector<Sock> make_socks(int tid, int n, int slots) {
  std::vector<Sock> v(n);
  for (int i = 0; i < n; i++) {
    int g = tid * n + i;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int sz = 8 << 20;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &sz, sizeof sz)) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &sz, sizeof sz);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &sz, sizeof sz)) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sz, sizeof sz);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    uint32_t ip = INADDR_LOOPBACK;
    if (opt.src == "vary") ip = (127u << 24) | uint32_t(1 + g % opt.regions) << 16 | uint32_t((g / opt.regions) & 255) << 8 | 7;
    if (opt.src == "any") ip = 0;
    a.sin_addr.s_addr = htonl(ip);
    if (bind(fd, (sockaddr*)&a, sizeof a)) { perror("bind"); exit(2); }
    a.sin_addr.s_addr = inet_addr(opt.host.c_str());
    a.sin_port = htons(uint16_t(opt.port));
    if (connect(fd, (sockaddr*)&a, sizeof a)) { perror("connect"); exit(2); }
    v[i].fd = fd;
    v[i].slots.assign(slots, Slot{0, 0, false, false});
    for (int k = 0; k < slots; k++) v[i].freelist.push_back(uint16_t(slots - 1 - k));
  }
  return v;
}

constexpr int RB = 128;       // most messages in one recvmmsg / sendmmsg
constexpr int RBUF = 2048;
struct Bufs {
  mmsghdr rm[RB], sm[RB];
  iovec ri[RB], si[RB];
  uint8_t rb[RB][RBUF], sb[RB][320];
  uint8_t gsobuf[65536];
  Bufs() {
    memset(rm, 0, sizeof rm); memset(sm, 0, sizeof sm);
    for (int i = 0; i < RB; i++) {
      ri[i] = {rb[i], RBUF}; rm[i].msg_hdr.msg_iov = &ri[i]; rm[i].msg_hdr.msg_iovlen = 1;
      si[i] = {sb[i], 0}; sm[i].msg_hdr.msg_iov = &si[i]; sm[i].msg_hdr.msg_iovlen = 1;
    }
  }
};

static inline void on_answer(Sock& s, const uint8_t* p, unsigned len, uint64_t t, Stats& st, int slotbits, bool m) {
  if (len < 12 || !(p[2] & 0x80)) { st.stray++; return; }
  uint16_t id = uint16_t(p[0] << 8 | p[1]);
  uint16_t k = id & uint16_t((1u << slotbits) - 1), gen = uint16_t(id >> slotbits);
  if (k >= s.slots.size()) { st.stray++; return; }
  Slot& sl = s.slots[k];
  if (!sl.busy || sl.gen != gen) { st.stray++; return; }
  sl.busy = false;
  s.freelist.push_back(k);
  if (m && sl.counted) {
    st.recv++; st.rcode[p[3] & 15]++; st.an += p[6] << 8 | p[7]; st.bytes += len;
    if (p[2] & 2) st.tc++;
    st.h.add(t > sl.t ? t - sl.t : 0);
  }
}

static void drain(Sock& s, Bufs& b, Stats& st, int slotbits) {
  for (;;) {
    int n = recvmmsg(s.fd, b.rm, RB, MSG_DONTWAIT, nullptr);
    if (n <= 0) return;
    uint64_t t = now_ns();
    for (int i = 0; i < n; i++) on_answer(s, b.rb[i], b.rm[i].msg_len, t, st, slotbits, true);
    if (n < RB) return;
  }
}
static void reap(std::vector<Sock>& ss, Stats& st, uint64_t t, uint64_t limit) {
  for (auto& s : ss)
    for (size_t k = 0; k < s.slots.size(); k++) {
      Slot& sl = s.slots[k];
      if (sl.busy && t - sl.t > limit) {
        sl.busy = false; s.freelist.push_back(uint16_t(k));
        if (sl.counted) st.lost++;
      }
    }
}

// NOLINT(size): one loop
static void worker(int tid, Stats& st) {
  if (opt.cpu >= 0) { cpu_set_t c; CPU_ZERO(&c); CPU_SET(opt.cpu + tid, &c); sched_setaffinity(0, sizeof c, &c); }
  auto* bp = new Bufs; Bufs& b = *bp;
  int ns = std::max(1, opt.sockets / opt.threads);
  int w = opt.rate > 0 ? 2048 : std::max(1, opt.window / opt.threads / ns);
  int slotbits = 1;
  while ((1 << slotbits) < w) slotbits++;
  uint16_t genmask = uint16_t((1u << (16 - slotbits)) - 1);
  auto ss = make_socks(tid, ns, w);
  int ep = epoll_create1(0);
  for (int i = 0; i < ns; i++) { epoll_event e{}; e.events = EPOLLIN; e.data.u32 = uint32_t(i); epoll_ctl(ep, EPOLL_CTL_ADD, ss[i].fd, &e); }
  size_t qi = pkts.size() * size_t(tid) / size_t(opt.threads) + size_t(opt.seed * 7919) % pkts.size();
  qi %= pkts.size();
  auto nextpkt = [&]() -> const Pkt& { const Pkt& p = pkts[qi]; if (++qi == pkts.size()) qi = 0; return p; };
  auto take = [&](Sock& s, uint64_t t, bool m, uint16_t& id) {
    uint16_t k = s.freelist.back(); s.freelist.pop_back();
    Slot& sl = s.slots[k];
    sl.gen = uint16_t((sl.gen + 1) & genmask); sl.t = t; sl.busy = true; sl.counted = m;
    id = uint16_t(sl.gen << slotbits | k);
  };
  uint64_t last_reap = now_ns();
  if (opt.rate > 0) {
    double gap = 1e9 / (opt.rate / opt.threads);
    uint64_t start = now_ns(), k = 0; int si = 0; epoll_event ev[64];
    while (!stop_all.load(std::memory_order_relaxed)) {
      uint64_t t = now_ns();
      bool m = measuring.load(std::memory_order_relaxed);
      if (!stop_send.load(std::memory_order_relaxed)) {
        uint64_t due = start + uint64_t(double(k) * gap);
        int burst = 0;
        while (due <= t && burst++ < 16) {
          Sock& s = ss[si]; if (++si == ns) si = 0;
          if (s.freelist.empty()) { if (m) { st.full++; st.sent++; st.lost++; } }
          else {
            const Pkt& p = nextpkt(); uint16_t id; take(s, due, m, id);
            memcpy(b.sb[0], &blob[p.off], p.len); b.sb[0][0] = uint8_t(id >> 8); b.sb[0][1] = uint8_t(id);
            ssize_t r = send(s.fd, b.sb[0], p.len, MSG_DONTWAIT);
            (void)r;
            if (m) { st.sent++; st.qbytes += p.len; }
          }
          k++; due = start + uint64_t(double(k) * gap);
        }
      }
      int n = epoll_wait(ep, ev, 64, 0);
      for (int i = 0; i < n; i++) drain(ss[ev[i].data.u32], b, st, slotbits);
      if (t - last_reap > 100000000ull) { reap(ss, st, t, 500000000ull); last_reap = t; }
    }
  } else {
    while (!stop_all.load(std::memory_order_relaxed)) {
      int got = 0;
      for (auto& s : ss) {
        bool m = measuring.load(std::memory_order_relaxed);
        size_t before = s.freelist.size();
        if (before < s.slots.size()) drain(s, b, st, slotbits);
        got += int(s.freelist.size() - before);
        if (stop_send.load(std::memory_order_relaxed)) continue;
        size_t nf = s.freelist.size();
        if (!nf) continue;
        uint64_t t = now_ns();
        while (nf) {
          int n = 0;
          if (opt.gso) {  // one super-packet of equal-length queries
            const Pkt* first = &pkts[qi]; unsigned len = first->len; uint8_t* o = b.gsobuf;
            while (nf && n < opt.batch && pkts[qi].len == len && (unsigned)(n + 1) * len < 60000) {
              const Pkt& p = nextpkt(); uint16_t id; take(s, t, m, id); nf--;
              memcpy(o, &blob[p.off], len); o[0] = uint8_t(id >> 8); o[1] = uint8_t(id); o += len; n++;
              if (m) { st.sent++; st.qbytes += len; }
            }
            char cb[CMSG_SPACE(2)] = {0}; iovec iv{b.gsobuf, size_t(o - b.gsobuf)}; msghdr mh{};
            mh.msg_iov = &iv; mh.msg_iovlen = 1; mh.msg_control = cb; mh.msg_controllen = sizeof cb;
            cmsghdr* c = CMSG_FIRSTHDR(&mh); c->cmsg_level = SOL_UDP; c->cmsg_type = UDP_SEGMENT; c->cmsg_len = CMSG_LEN(2);
            uint16_t gs = uint16_t(len); memcpy(CMSG_DATA(c), &gs, 2);
            if (sendmsg(s.fd, &mh, MSG_DONTWAIT) < 0 && errno != EAGAIN && errno != ECONNREFUSED) { perror("sendmsg gso"); exit(2); }
          } else {
            while (nf && n < opt.batch) {
              const Pkt& p = nextpkt(); uint16_t id; take(s, t, m, id); nf--;
              memcpy(b.sb[n], &blob[p.off], p.len); b.sb[n][0] = uint8_t(id >> 8); b.sb[n][1] = uint8_t(id);
              b.si[n].iov_len = p.len; n++;
              if (m) { st.sent++; st.qbytes += p.len; }
            }
            int done = 0;
            while (done < n) {
              int r = sendmmsg(s.fd, b.sm + done, unsigned(n - done), MSG_DONTWAIT);
              if (r <= 0) { if (errno == ECONNREFUSED) continue; break; }
              done += r;
            }
          }
        }
      }
      uint64_t t = now_ns();
      if (t - last_reap > 50000000ull) { reap(ss, st, t, 400000000ull); last_reap = t; }
      if (opt.nospin && !got) { epoll_event ev[4]; epoll_wait(ep, ev, 4, 1); }
    }
  }
  // whatever is still outstanding after the drain time is lost
  for (auto& s : ss) { drain(s, b, st, slotbits); for (auto& sl : s.slots) if (sl.busy && sl.counted) st.lost++; close(s.fd); }
  delete bp;
}

static void cpu_of(const std::string& pids, double& run_s, double& user_s, double& sys_s, long& rss_kb) {
  run_s = user_s = sys_s = 0; rss_kb = 0;
  std::stringstream in(pids); std::string p; long hz = sysconf(_SC_CLK_TCK);
  while (std::getline(in, p, ',')) {
    std::string d = "/proc/" + p + "/task";
    if (DIR* dir = opendir(d.c_str())) {
      while (dirent* e = readdir(dir)) {
        if (e->d_name[0] == '.') continue;
        std::ifstream f(d + "/" + e->d_name + "/schedstat"); double r = 0; f >> r; run_s += r / 1e9;
      }
      closedir(dir);
    }
    std::ifstream f("/proc/" + p + "/stat"); std::string all((std::istreambuf_iterator<char>(f)), {});
    size_t c = all.rfind(')');
    if (c != std::string::npos) {
      std::stringstream s(all.substr(c + 2)); std::string x; std::vector<std::string> v; while (s >> x) v.push_back(x);
      if (v.size() > 12) { user_s += atof(v[11].c_str()) / hz; sys_s += atof(v[12].c_str()) / hz; }
    }
    std::ifstream m("/proc/" + p + "/smaps_rollup"); std::string l;
    while (std::getline(m, l)) if (!l.compare(0, 4, "Pss:")) rss_kb += atol(l.c_str() + 4);
  }
}

// busy CPU seconds of the whole machine; what neither the server nor this process used is someone else's
static double machine_busy() {
  std::ifstream f("/proc/stat"); std::string w; double v[8] = {0}; f >> w; for (double& x : v) f >> x;
  return (v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) / double(sysconf(_SC_CLK_TCK));
}
static double own_cpu() {
  timespec t; clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); return double(t.tv_sec) + double(t.tv_nsec) / 1e9;
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; i++) {
    std::string a = argv[i];
    auto v = [&]() -> std::string { if (++i >= argc) { fprintf(stderr, "%s needs a value\n", a.c_str()); exit(2); } return argv[i]; };
    if (a == "--server") { std::string s = v(); size_t c = s.rfind(':'); opt.host = s.substr(0, c); opt.port = atoi(s.c_str() + c + 1); }
    else if (a == "--queries") opt.queries = v();
    else if (a == "--threads") opt.threads = std::max(1, atoi(v().c_str()));
    else if (a == "--sockets") opt.sockets = atoi(v().c_str());
    else if (a == "--window") opt.window = atoi(v().c_str());
    else if (a == "--batch") opt.batch = std::min(RB, std::max(1, atoi(v().c_str())));
    else if (a == "--rate") opt.rate = atof(v().c_str());
    else if (a == "--duration") opt.duration = std::min(60.0, atof(v().c_str()));
    else if (a == "--warmup") opt.warmup = atof(v().c_str());
    else if (a == "--edns") opt.edns = atoi(v().c_str());
    else if (a == "--ecs") opt.ecs = atoi(v().c_str());
    else if (a == "--regions") opt.regions = atoi(v().c_str());
    else if (a == "--src") opt.src = v();
    else if (a == "--cpu") opt.cpu = atoi(v().c_str());
    else if (a == "--pids") opt.pids = v();
    else if (a == "--seed") opt.seed = atol(v().c_str());
    else if (a == "--gso") opt.gso = true;
    else if (a == "--nospin") opt.nospin = true;
    else { fprintf(stderr, "unknown option %s (see the head of dnsblast.cc)\n", a.c_str()); return 2; }
  }
  uint32_t dst = ntohl(inet_addr(opt.host.c_str()));
  bool loop = (dst >> 24) == 127, netns_ok = getenv("DNSBLAST_NETNS") && (dst >> 24) == 10;
  if (!loop && !netns_ok) { fprintf(stderr, "refused: only 127.0.0.0/8 (or 10/8 with DNSBLAST_NETNS=1 inside a private netns)\n"); return 2; }
  load_queries();
  std::vector<Stats> st(opt.threads);
  std::vector<std::thread> th;
  for (int i = 0; i < opt.threads; i++) th.emplace_back(worker, i, std::ref(st[i]));
  auto nap = [](double s) { timespec t{time_t(s), long((s - std::floor(s)) * 1e9)}; nanosleep(&t, nullptr); };
  nap(opt.warmup);
  double r0, u0, s0, r1, u1, s1; long rss;
  cpu_of(opt.pids, r0, u0, s0, rss);
  double m0 = machine_busy(), c0 = own_cpu();
  uint64_t t0 = now_ns(); measuring = true;
  nap(opt.duration);
  stop_send = true; uint64_t t1 = now_ns();
  cpu_of(opt.pids, r1, u1, s1, rss);
  double other = machine_busy() - m0 - (own_cpu() - c0) - (r1 - r0);
  nap(opt.rate > 0 ? 0.3 : 0.1);
  stop_all = true;
  for (auto& t : th) t.join();
  Stats a;
  for (auto& s : st) {
    a.sent += s.sent; a.recv += s.recv; a.lost += s.lost; a.stray += s.stray; a.tc += s.tc; a.an += s.an; a.bytes += s.bytes; a.qbytes += s.qbytes; a.full += s.full;
    for (int i = 0; i < 16; i++) a.rcode[i] += s.rcode[i];
    a.h.merge(s.h);
  }
  double el = double(t1 - t0) / 1e9, n = std::max<double>(1, double(a.recv));
  printf("{\"qps\":%.0f,\"sent\":%lu,\"recv\":%lu,\"lost\":%lu,\"loss_pct\":%.4f,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,"
         "\"noerror\":%lu,\"servfail\":%lu,\"nxdomain\":%lu,\"refused\":%lu,\"formerr\":%lu,\"tc\":%lu,\"stray\":%lu,\"an_per_answer\":%.2f,\"resp_bytes\":%.0f,\"query_bytes\":%.0f,"
         "\"server_util\":%.3f,\"server_ns_per_q\":%.0f,\"server_user_ns\":%.0f,\"server_sys_ns\":%.0f,\"pss_kb\":%ld,\"other_cpu\":%.3f}\n",
         double(a.recv) / el, a.sent, a.recv, a.lost, 100.0 * double(a.lost) / std::max<double>(1, double(a.sent)), a.h.q(.5) / 1e3, a.h.q(.9) / 1e3, a.h.q(.99) / 1e3, a.h.q(.999) / 1e3,
         double(a.h.max) / 1e3, a.rcode[0], a.rcode[2], a.rcode[3], a.rcode[5], a.rcode[1], a.tc, a.stray, double(a.an) / n, double(a.bytes) / n, double(a.qbytes) / std::max<double>(1, double(a.sent)),
         (r1 - r0) / el, (r1 - r0) * 1e9 / n, (u1 - u0) * 1e9 / n, (s1 - s0) * 1e9 / n, rss, opt.pids.empty() ? 0.0 : std::max(0.0, other / el));
  return 0;
}
