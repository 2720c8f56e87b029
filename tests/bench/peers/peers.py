#!/usr/bin/env python3
# NOLINT(size): one table, one file
"""One table: every peer DNS server, the UDP echo ceiling, and (optionally) our server, under the same load.

See tests/bench/peers/README.md.  All traffic is on 127.0.0.0/8.  Every process it starts is ended by pid; all state is in --work.
"""
import argparse, json, os, shutil, signal, socket, statistics as st, struct, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
ap = argparse.ArgumentParser()
ap.add_argument('--names', type=int, default=10000)
ap.add_argument('--rounds', type=int, default=3)
ap.add_argument('--secs', type=float, default=1.2)
ap.add_argument('--rate', type=int, default=20000)
ap.add_argument('--windows', default='128')
ap.add_argument('--only', default='')
ap.add_argument('--skip', default='pdns-lua')
ap.add_argument('--tests', default='peak,lat,tcp,two', help='peak, ecs, lat, tcp, two (two threads, both cores), scale (start/memory/reload)')
ap.add_argument('--ours', default='', help='command line of our server; {addr} {port} {threads} {dir} {zone} are filled in')
ap.add_argument('--ours-name', default='OURS')
ap.add_argument('--ours-reload', default='', help='command that reloads our server; {pid} {dir} are filled in')
ap.add_argument('--work', default=__import__('tempfile').gettempdir() + '/dnsbench')
ap.add_argument('--out', default='')
ap.add_argument('--budget', type=float, default=470, help='stop starting new measurements after this many seconds')
a = ap.parse_args()
T0 = time.time()
W = a.work; os.makedirs(W, exist_ok=True)
DATA = f'{W}/data{a.names}'
BLAST, ECHO = f'{W}/dnsblast', f'{W}/udpecho'
NICE = ['nice', '-n', '-19'] if os.geteuid() == 0 else []   # servers and generator alike: other work on the machine disturbs less
def log(*x): print(*x, file=sys.stderr, flush=True)
def left(): return a.budget - (time.time() - T0)

def build():
    for src, exe, libs in (('dnsblast.cc', BLAST, ['-lpthread']), ('udpecho.cc', ECHO, ['-luring', '-lpthread'])):
        s = f'{HERE}/{src}'
        if not os.path.exists(exe) or os.path.getmtime(exe) < os.path.getmtime(s):
            subprocess.run(['g++', '-O3', '-march=native', '-std=c++17', '-o', exe, s, *libs], check=True)
def gen(serial=1, out=None, only='', q=200000, names=None):
    subprocess.run([sys.executable, f'{HERE}/gen_workload.py', '--names', str(names or a.names), '--out', out or DATA, '--serial', str(serial), '--only', only, '--queries', str(q)], check=True)

def wr(p, s):
    os.makedirs(os.path.dirname(p), exist_ok=True); open(p, 'w').write(s); return p

# ---- how each server is configured and started: (dir, port, threads, data) -> argv ; and how it is reloaded
def knot(d, p, t, data, geo=False):
    return ['knotd', '-c', wr(f'{d}/knot.conf', f'''server:
    rundir: {d}
    listen: 127.0.0.1@{p}
    udp-workers: {t}
    tcp-workers: {t}
    background-workers: 1
    tcp-max-clients: 1000
    edns-client-subnet: {"on" if geo else "off"}
log:
  - target: stderr
    any: error
database:
    storage: {d}
control:
    listen: knot.sock
''' + (f'''mod-geoip:
  - id: geo
    config-file: {data}/knot-geo.conf
    ttl: 30
    mode: subnet
''' if geo else '') + f'''zone:
  - domain: mesh.internal
    storage: {data}
    file: {"knot-geo.zone" if geo else "mesh.internal.zone"}
    semantic-checks: off
    journal-content: none
    zonefile-sync: -1
''' + ('    module: mod-geoip/geo\n' if geo else ''))]
def nsd(d, p, t, data):
    return ['nsd', '-d', '-c', wr(f'{d}/nsd.conf', f'''server:
    server-count: {t}
    ip-address: 127.0.0.1@{p}
    reuseport: {"yes" if t > 1 else "no"}
    username: ""
    chroot: ""
    zonesdir: "{data}"
    database: ""
    pidfile: "{d}/nsd.pid"
    zonelistfile: "{d}/zone.list"
    xfrdfile: "{d}/xfrd.state"
    xfrdir: "{d}"
    logfile: "{d}/nsd.log"
    rrl-ratelimit: 0
    minimal-responses: yes
    tcp-count: 500
remote-control:
    control-enable: no
zone:
    name: "mesh.internal"
    zonefile: "mesh.internal.zone"
''')]
def gdnsd(d, p, t, data):
    os.makedirs(f'{d}/run', exist_ok=True); os.makedirs(f'{d}/state', exist_ok=True); os.makedirs(f'{d}/geoip', exist_ok=True)
    shutil.rmtree(f'{d}/zones', ignore_errors=True); shutil.copytree(f'{data}/gdnsd/zones', f'{d}/zones')
    nets = ' '.join(f'127.{r}.0.0/16 => [r{r}, r{r % 4 + 1}], 10.{r}.0.0/16 => [r{r}, r{r % 4 + 1}],' for r in (1, 2, 3, 4))
    wr(f'{d}/config', f'''options => {{ listen => 127.0.0.1:{p}, udp_threads => {t}, tcp_threads => {t}, run_dir => "{d}/run", state_dir => "{d}/state", acme_challenge_ttl => 60 }}
plugins => {{ geoip => {{
 maps => {{ m => {{ datacenters => [r1, r2, r3, r4], nets => {{ {nets} }} }} }}
 resources => $include{{{data}/gdnsd/resources}}
}} }}
''')
    return ['gdnsd', '-c', d, 'start']
def named(d, p, t, data):
    return ['named', '-f', '-n', str(t), '-c', wr(f'{d}/named.conf', f'''options {{ directory "{d}"; listen-on port {p} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
 recursion no; pid-file "{d}/named.pid"; session-keyfile "{d}/session.key"; dnssec-validation no; querylog no; notify no; minimal-responses yes; empty-zones-enable no; tcp-clients 1000; }};
controls {{ }};
logging {{ channel n {{ null; }}; category default {{ n; }}; }};
zone "mesh.internal" {{ type primary; file "{data}/mesh.internal.zone"; check-names ignore; }};
''')]
def pdns(d, p, t, data, kind='bind'):
    zone = f'{data}/pdns-lua.zone' if kind == 'lua' else f'{data}/mesh.internal.zone'
    wr(f'{d}/named.conf', f'options {{ directory "{d}"; }};\nzone "mesh.internal" {{ type master; file "{zone}"; }};\n')
    wr(f'{d}/pdns.conf', (f'launch=bind\nbind-config={d}/named.conf\n' if kind != 'geo' else f'launch=geoip\ngeoip-zones-file={data}/pdns-geo.yml\ngeoip-database-files=\n') +
       f'local-address=127.0.0.1\nlocal-port={p}\nsocket-dir={d}\nreceiver-threads={t}\ndistributor-threads=1\nreuseport={"yes" if t > 1 else "no"}\n'
       'daemon=no\nguardian=no\nloglevel=0\ndisable-syslog=yes\nwrite-pid=no\nwebserver=no\nzone-cache-refresh-interval=300\nsecurity-poll-suffix=\nversion-string=anonymous\n'
       'edns-subnet-processing=' + ('no' if kind == 'bind' else 'yes') + '\n' + ('enable-lua-records=yes\n' if kind == 'lua' else '') + 'max-tcp-connections=500\n')
    return ['pdns_server', f'--config-dir={d}']
def unbound(d, p, t, data):
    return ['unbound', '-d', '-c', wr(f'{d}/unbound.conf', f'''server:
  interface: 127.0.0.1@{p}
  num-threads: {t}
  so-reuseport: yes
  username: ""
  chroot: ""
  directory: "{d}"
  pidfile: "{d}/unbound.pid"
  use-syslog: no
  logfile: "{d}/log"
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  val-permissive-mode: yes
  module-config: "iterator"
  incoming-num-tcp: 500
remote-control:
  control-enable: no
include: "{data}/unbound-data.conf"
''')]
def dnsmasq(d, p, t, data):
    return ['dnsmasq', '--keep-in-foreground', '--conf-file=' + wr(f'{d}/dnsmasq.conf', f'''port={p}
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
user=root
pid-file=
local=/mesh.internal/
local-ttl=30
addn-hosts={data}/dnsmasq.hosts
conf-file={data}/dnsmasq-srv.conf
log-facility={d}/log
''')]
def hup(pid, d): os.kill(pid, signal.SIGHUP)
P = {  # name: (port, argv maker, reload, threaded, forms it reads)
    'knot':      (5401, knot, lambda pid, d: subprocess.run(['knotc', '-s', f'{d}/knot.sock', 'zone-reload'], capture_output=True), True, 'zone'),
    'knot-geo':  (5402, lambda d, p, t, x: knot(d, p, t, x, True), lambda pid, d: subprocess.run(['knotc', '-s', f'{d}/knot.sock', 'reload'], capture_output=True), True, 'zone,knotgeo'),
    'nsd':       (5403, nsd, hup, True, 'zone'),
    'gdnsd-geo': (5404, gdnsd, lambda pid, d: subprocess.run(['gdnsdctl', '-c', d, 'reload-zones'], capture_output=True, timeout=60)   # the geo resources would need 'replace'
        , True, 'gdnsd'),
    'bind':      (5405, named, hup, True, 'zone'),
    'pdns':      (5406, pdns, lambda pid, d: subprocess.run(['pdns_control', f'--config-dir={d}', f'--socket-dir={d}', 'bind-reload-now', 'mesh.internal'], capture_output=True), True, 'zone'),
    'pdns-lua':  (5407, lambda d, p, t, x: pdns(d, p, t, x, 'lua'), None, True, 'pdnslua'),
    'pdns-geo':  (5408, lambda d, p, t, x: pdns(d, p, t, x, 'geo'), None, True, 'pdnsgeo'),
    'unbound':   (5409, unbound, hup, True, 'unbound'),
    'dnsmasq':   (5410, dnsmasq, hup, False, 'dnsmasq'),
}
ECHOES = {'echo-mmsg': (5390, ['mmsg', '--resp', '110']), 'echo-simple': (5391, ['simple', '--resp', '110'])}
GEO = {'knot-geo', 'gdnsd-geo', 'pdns-lua', 'pdns-geo'}

def dq(port, name, qt=1, timeout=.02, src=None):
    q = struct.pack('>HHHHHH', 4660, 0, 1, 0, 0, 0) + b''.join(bytes([len(l)]) + l.encode() for l in name.split('.')) + b'\0' + struct.pack('>HH', qt, 1)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(timeout)
    try:
        if src: s.bind((src, 0))
        s.connect(('127.0.0.1', port)); s.send(q); return s.recv(4096)
    except OSError: return None
    finally: s.close()
def answers(port, src=None):
    r = dq(port, 'svc-1.mesh.internal', src=src); return bool(r) and r[3] & 15 == 0 and r[7] > 0
def serial(port):
    r = dq(port, 'mesh.internal', 6)
    if not r or not r[7]: return None
    def skip(o):
        while r[o]:
            if r[o] & 0xc0: return o + 2
            o += r[o] + 1
        return o + 1
    o = skip(12) + 4; o = skip(o) + 10; o = skip(o); o = skip(o); return struct.unpack('>I', r[o:o + 4])[0]

class Srv:
    def __init__(s, name, threads=1, cores='0', data=None):
        s.name, s.threads = name, threads
        s.dir = f'{W}/run/{name}-{threads}'; shutil.rmtree(s.dir, ignore_errors=True); os.makedirs(s.dir)
        data = data or DATA
        if name in ECHOES: s.port, argv = ECHOES[name][0] + (50 if threads > 1 else 0), None
        elif name == a.ours_name: s.port, argv = 5399 + (50 if threads > 1 else 0), None
        else: s.port = P[name][0] + (50 if threads > 1 else 0); argv = P[name][1](s.dir, s.port, threads, data)
        if name in ECHOES: argv = [ECHO, *ECHOES[name][1], '--bind', f'127.0.0.1:{s.port}', '--threads', str(threads), '--secs', '600']
        elif name == a.ours_name: argv = ['sh', '-c', 'exec ' + a.ours.format(addr='127.0.0.1', port=s.port, threads=threads, dir=s.dir, zone=f'{data}/mesh.internal.zone', data=data)]
        t = time.time()
        s.p = subprocess.Popen([*NICE, 'taskset', '-c', cores, *argv], stdout=open(f'{s.dir}/stdout', 'w'), stderr=subprocess.STDOUT, start_new_session=True)
        s.up = None
        while time.time() - t < 90:
            if s.p.poll() is not None: break
            if name in ECHOES:
                if dq(s.port, 'x.y'): s.up = time.time() - t; break
            elif answers(s.port, '127.1.0.9'): s.up = time.time() - t; break
            else: time.sleep(.003)
        if s.up is None: log(f'  {name}: did not come up:', open(f'{s.dir}/stdout').read()[-600:]); s.stop()
    def pids(s):
        kids, out = {}, []
        for d in os.listdir('/proc'):
            if d.isdigit():
                try: pp = int(open(f'/proc/{d}/stat').read().rsplit(')', 1)[1].split()[1]); kids.setdefault(pp, []).append(int(d))
                except OSError: pass
        todo = [s.p.pid]
        while todo: x = todo.pop(); out.append(x); todo += kids.get(x, [])
        return out
    def pss(s):
        t = 0
        for p in s.pids():
            try: t += sum(int(l.split()[1]) for l in open(f'/proc/{p}/smaps_rollup') if l.startswith('Pss:'))
            except OSError: pass
        return t
    def stop(s):
        ps = s.pids() if s.p.poll() is None else []
        for sig, wait in ((signal.SIGTERM, 3), (signal.SIGKILL, 2)):
            for p in ps:
                try: os.kill(p, sig)
                except OSError: pass
            t = time.time()
            while time.time() - t < wait:
                s.p.poll(); ps = [p for p in ps if os.path.exists(f'/proc/{p}') and open(f'/proc/{p}/stat').read().rsplit(')', 1)[1].split()[0] != 'Z']
                if not ps: return
                time.sleep(.02)

disturbed = []
def blast(s, cpu='1', **kw):
    argv = [*NICE, 'taskset', '-c', cpu, BLAST, '--server', f'127.0.0.1:{s.port}', '--queries', f'{DATA}/queries.txt', '--pids', ','.join(map(str, s.pids()))]
    for k, v in kw.items(): argv += [f'--{k}'] + ([] if v is True else [str(v)])
    for attempt in range(3):   # a run that someone else's CPU use disturbed is done again, twice at most
        r = subprocess.run(argv, capture_output=True, text=True, timeout=70)
        try: x = json.loads(r.stdout)
        except ValueError: log(s.name, r.stderr); return None
        if x['other_cpu'] < .12: return x
        disturbed.append((s.name, x['other_cpu']))
    return x
def paired(s, ref, **kw):
    """One run with a short run of the echo before and after it: on a shared machine whose speed drifts by a third
    from one second to the next, only the ratio to a neighbour in time means much."""
    short = kw | {'duration': .3, 'warmup': .1, 'ecs': 0}
    if s is ref: x = blast(s, **kw); x and x.update(rq=1.0, rc=1.0); return x
    short.pop('gso', 0); r0 = blast(ref, **short); x = blast(s, **kw); r1 = blast(ref, **short)
    if not (r0 and x and r1 and x['recv']): return None
    x['rq'] = x['qps'] / ((r0['qps'] + r1['qps']) / 2); x['rc'] = x['server_ns_per_q'] / ((r0['server_ns_per_q'] + r1['server_ns_per_q']) / 2)
    x['ref_spread'] = max(r0['server_ns_per_q'], r1['server_ns_per_q']) / min(r0['server_ns_per_q'], r1['server_ns_per_q'])
    return x
def cpu_s(pids):
    t = 0
    for p in pids:
        try:
            for k in os.listdir(f'/proc/{p}/task'): t += int(open(f'/proc/{p}/task/{k}/schedstat').read().split()[0])
        except OSError: pass
    return t / 1e9
def cpu_ticks(pid):   # the whole process with ended threads and reaped children (10 ms resolution)
    try: v = open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split(); return sum(map(int, v[11:15])) / os.sysconf('SC_CLK_TCK')
    except OSError: return 0
def tcp(s):
    pids = s.pids(); c0 = sum(map(cpu_ticks, pids))
    r = subprocess.run([*NICE, 'taskset', '-c', '1', 'dnsperf', '-m', 'tcp', '-s', '127.0.0.1', '-p', str(s.port), '-d', f'{DATA}/queries.txt', '-c', '16', '-T', '1', '-q', '256', '-l', '2', '-t', '2', '-e'], capture_output=True, text=True, timeout=30)
    c1 = sum(map(cpu_ticks, pids)); q = lost = comp = 0.0
    for l in r.stdout.splitlines():
        if 'Queries per second:' in l: q = float(l.split()[-1])
        if 'Queries lost:' in l: lost = float(l.split('(')[1].rstrip('%)'))
        if 'Queries completed:' in l: comp = float(l.split()[2])
    return {'qps': q, 'loss_pct': lost, 'server_ns_per_q': (c1 - c0) * 1e9 / comp if comp else 0}
def med(v): return st.median(v) if v else float('nan')
def mmm(v, f='{:.0f}'): return (f + ' (' + f + '-' + f + ')').format(med(v), min(v), max(v)) if v else '-'

def main():
    build()
    if not os.path.exists(f'{DATA}/.done'):
        log('generating workload'); gen(); open(f'{DATA}/.done', 'w')
    names = [n for n in P if shutil.which(P[n][1](f'{W}/run/probe', 1, 1, DATA)[0])]
    missing = [n for n in P if n not in names]
    if missing: log('not installed, left out:', ', '.join(missing))
    names = list(ECHOES) + ([a.ours_name] if a.ours else []) + names
    if a.only: names = [n for n in names if n in a.only.split(',') or n in ECHOES or n == a.ours_name]
    names = [n for n in names if n not in a.skip.split(',')]
    tests = a.tests.split(',')
    res = {n: {'peak': [], 'lat': [], 'tcp': [], 'two': [], 'ecs': []} for n in names}
    live = []
    try:
        if set(tests) & {'peak', 'lat', 'tcp', 'ecs'}:
            srv = {}
            for n in names:
                s = Srv(n)
                if s.up is not None: srv[n] = s; live.append(s); res[n]['up'] = s.up; res[n]['pss0'] = s.pss(); log(f'  {n}: up in {s.up:.2f} s, {s.pss() / 1024:.0f} MiB')
            for r in range(a.rounds):   # interleaved: each round visits every server, so drift of the machine hits all alike
                for n, s in srv.items():
                    if 'peak' in tests and left() > 0:
                        best = None
                        for w in map(int, a.windows.split(',')):
                            x = paired(s, srv['echo-mmsg'], window=w, sockets=32, duration=a.secs, warmup=.2, seed=r)
                            if x and x['loss_pct'] < .1 and (best is None or x['qps'] > best['qps']): best = x | {'window': w}
                        if best: res[n]['peak'].append(best)
                    if 'ecs' in tests and left() > 0:
                        x = paired(s, srv['echo-mmsg'], window=128, sockets=32, duration=a.secs, warmup=.2, seed=r, ecs=100)
                        if x: res[n]['ecs'].append(x)
                    if 'lat' in tests and left() > 0:
                        x = blast(s, rate=a.rate, sockets=16, duration=a.secs, warmup=.25, seed=r)
                        if x: res[n]['lat'].append(x)
                    if 'tcp' in tests and n not in ECHOES and r < 2 and left() > 0:
                        res[n]['tcp'].append(tcp(s))
                    if s.p.poll() is not None: log(f'  {n} died')
            for n, s in srv.items(): res[n]['pss'] = s.pss()
            for s in live: s.stop()
            live.clear()
        if 'two' in tests:
            srv = {}
            for n in names:
                if n in P and not P[n][3]: continue
                s = Srv(n, 2, '0,1')
                if s.up is not None: srv[n] = s; live.append(s)
            for r in range(a.rounds):
                for n, s in srv.items():
                    if left() > 0:
                        x = paired(s, srv['echo-mmsg'], cpu='0,1', window=256, sockets=64, duration=a.secs, warmup=.2, seed=r, nospin=True)
                        if x: res[n]['two'].append(x)
            for s in live: s.stop()
            live.clear()
        if 'scale' in tests: scale(names, res, live)
        if 'echo' in tests: echo()
    finally:
        for s in live: s.stop()
    report(names, res, tests)
    if a.out: json.dump({'args': vars(a), 'res': res}, open(a.out, 'w'))
    log(f'{len(disturbed)} runs were disturbed by other CPU use and done again')
    log(f'total {time.time() - T0:.0f} s')

def scale(names, res, live):
    """start-up, memory and reload at --names names (run apart, one server at a time)."""
    for n in names:
        if n in ECHOES: continue
        res[n]['starts'], res[n]['reloads'], res[n]['mem'] = [], [], []
        for r in range(a.rounds):
            if left() < 0: break
            ours = n == a.ours_name
            forms = 'zone,places' if ours else P[n][4]
            data = f'{W}/scale'
            shutil.rmtree(data, ignore_errors=True); shutil.copytree(DATA, data, copy_function=os.link)
            s = Srv(n, data=data); live.append(s)
            if s.up is None: continue
            res[n]['starts'].append(s.up); time.sleep(.3); res[n]['mem'].append(s.pss())
            rel = (lambda pid, d: subprocess.run(a.ours_reload.format(pid=pid, dir=d), shell=True)) if ours and a.ours_reload else None if ours else P[n][2]
            if rel and serial(s.port) is not None:
                new = f'{W}/new'
                if r == 0: shutil.rmtree(new, ignore_errors=True); gen(2, new, forms, 0)
                for root, _, fs in os.walk(new):
                    for f in fs:
                        dst = os.path.join(data, os.path.relpath(os.path.join(root, f), new))
                        if os.path.exists(dst): os.unlink(dst)
                        shutil.copy(os.path.join(root, f), dst)
                if n == 'gdnsd-geo': shutil.copy(f'{new}/gdnsd/zones/mesh.internal', f'{s.dir}/zones/mesh.internal')
                if n in ('dnsmasq',): pass
                # a light load runs beside the reload, to see the longest stall
                load = subprocess.Popen([*NICE, 'taskset', '-c', '1', BLAST, '--server', f'127.0.0.1:{s.port}', '--queries', f'{DATA}/queries.txt', '--rate', '5000', '--sockets', '8', '--warmup', '0.2', '--duration', '4'], stdout=subprocess.PIPE, text=True)
                time.sleep(.4); t = time.time()
                c0 = cpu_s(s.pids())
                rel(s.p.pid, s.dir)
                while time.time() - t < 30 and serial(s.port) != 2: time.sleep(.002)
                el = time.time() - t
                o, _ = load.communicate(timeout=20); x = json.loads(o)
                res[n]['reloads'].append({'s': el, 'max_us': x['max_us'], 'lost': x['lost'], 'p999_us': x['p999_us']})
            s.stop(); live.remove(s)
        log(f'  {n}: start {res[n]["starts"]} mem {res[n]["mem"]} reload {res[n]["reloads"]}')

def echo():
    modes = [('simple',), ('mmsg', '--batch', '16'), ('mmsg', '--batch', '32'), ('mmsg', '--batch', '64'), ('mmsg-spin',), ('epoll',), ('pktinfo',), ('mmsg-linger',), ('mmsg-gso',), ('uring',), ('uring-mmsg',), ('mmsg-work',),
             ('mmsg', 'GSO-CLIENT'), ('mmsg-gso', 'GSO-CLIENT'), ('gso', 'GSO-CLIENT')]
    out = {m: [] for m in modes}; lat = {m: [] for m in modes}
    base_p = subprocess.Popen([*NICE, 'taskset', '-c', '0', ECHO, 'mmsg', '--resp', '110', '--bind', '127.0.0.1:5388', '--secs', '590'])
    class B: name, port = 'echo base', 5388
    B.pids = lambda: [base_p.pid]
    for r in range(a.rounds):
        for m in modes:
            if left() < 0: break
            p = subprocess.Popen([*NICE, 'taskset', '-c', '0', ECHO, *[x for x in m if x != 'GSO-CLIENT'], '--resp', '0' if m[0] == 'gso' else '110', '--bind', '127.0.0.1:5389', '--secs', '20'])
            time.sleep(.15)
            class S: name, port = 'echo ' + ' '.join(m), 5389
            S.pids = lambda: [p.pid]
            try:
                kw = {'gso': True} if 'GSO-CLIENT' in m else {}
                x = paired(S, B, window=128, sockets=32, duration=a.secs, warmup=.2, **kw)
                if x and x['loss_pct'] < .1: out[m].append(x)
                if not kw: y = blast(S, rate=a.rate, sockets=16, duration=a.secs, warmup=.2); y and lat[m].append(y)
            finally: p.terminate(); p.wait()
    base_p.terminate(); base_p.wait()
    print(f'\nEcho variants, one core (answer 110 bytes); ratios paired with mmsg, batch 64; latency at {a.rate} qps\n| variant | QPS | QPS ratio | CPU per datagram ratio | CPU ns/datagram | p50 us | p99 us (best-worst) | CPU at {a.rate} qps |\n|---|---|---|---|---|---|---|---|')
    for m in modes:
        v = out[m]
        print(f"| {' '.join(m)} | {mmm([x['qps'] for x in v])} | {mmm([x['rq'] for x in v], '{:.2f}')} | {mmm([x['rc'] for x in v], '{:.2f}')} | {mmm([x['server_ns_per_q'] for x in v])} | {med([x['p50_us'] for x in lat[m]]):.0f} | {mmm([x['p99_us'] for x in lat[m]])} | {med([x['server_util'] for x in lat[m]]):.2f} |")

def report(names, res, tests):
    if tests == ['echo']: return
    if 'peak' in tests:
        print(f'\nUDP, one core, {a.names} names, EDNS, client place varies; median (min-max) of {a.rounds} interleaved rounds')
        print('| server | peak QPS | QPS as a ratio to echo, paired | CPU per query as a ratio to echo, paired | server CPU ns/query | of it user | util | AN/answer | bytes | NXDOMAIN % | bad % |')
        print('|---|---|---|---|---|---|---|---|---|---|---|')
        for n in names:
            v = res[n]['peak']
            if not v: print(f'| {n} | - |'); continue
            tot = sum(x['recv'] for x in v) or 1; bad = sum(x['servfail'] + x['refused'] + x['formerr'] + x['tc'] for x in v)
            print(f"| {n} | {mmm([x['qps'] for x in v])} | {mmm([x['rq'] for x in v], '{:.2f}')} | {mmm([x['rc'] for x in v], '{:.2f}')} | {mmm([x['server_ns_per_q'] for x in v])} | {med([x['server_user_ns'] for x in v]):.0f} | {med([x['server_util'] for x in v]):.2f} | {med([x['an_per_answer'] for x in v]):.2f} | {med([x['resp_bytes'] for x in v]):.0f} | {100 * sum(x['nxdomain'] for x in v) / tot:.1f} | {100 * bad / tot:.2f} |")
    if 'ecs' in tests:
        print('\nUDP, one core, every query with ECS\n| server | QPS | ratio to echo, paired | server CPU ns/query | AN/answer |\n|---|---|---|---|---|')
        for n in names:
            v = res[n]['ecs']
            if v: print(f"| {n} | {mmm([x['qps'] for x in v])} | {mmm([x['rq'] for x in v], '{:.2f}')} | {mmm([x['server_ns_per_q'] for x in v])} | {med([x['an_per_answer'] for x in v]):.2f} |")
    if 'lat' in tests:
        print(f'\nLatency at {a.rate} qps open loop (us), one core\n| server | p50 | p90 | p99 | p99.9 | loss % | server util |\n|---|---|---|---|---|---|---|')
        for n in names:
            v = res[n]['lat']
            if v: print(f"| {n} | {mmm([x['p50_us'] for x in v])} | {med([x['p90_us'] for x in v]):.0f} | {mmm([x['p99_us'] for x in v])} | {med([x['p999_us'] for x in v]):.0f} | {max(x['loss_pct'] for x in v):.3f} | {med([x['server_util'] for x in v]):.2f} |")
    if 'tcp' in tests:
        print('\nTCP (dnsperf -m tcp, 16 connections, 256 outstanding), one core\n| server | QPS | loss % | server CPU ns/query |\n|---|---|---|---|')
        for n in names:
            v = res[n]['tcp']
            if v: print(f"| {n} | {mmm([x['qps'] for x in v])} | {max(x['loss_pct'] for x in v):.2f} | {mmm([x['server_ns_per_q'] for x in v])} |")
    if 'two' in tests:
        print('\nUDP, two server threads on both cores, load generator sharing them\n| server | QPS | ratio to echo, paired | CPU per query as a ratio to echo | server CPU ns/query | loss % |\n|---|---|---|---|---|---|')
        for n in names:
            v = res[n]['two']
            if v: print(f"| {n} | {mmm([x['qps'] for x in v])} | {mmm([x['rq'] for x in v], '{:.2f}')} | {mmm([x['rc'] for x in v], '{:.2f}')} | {mmm([x['server_ns_per_q'] for x in v])} | {max(x['loss_pct'] for x in v):.2f} |")
    if 'scale' in tests:
        print(f'\nStart-up, memory, reload at {a.names} names\n| server | start to first answer s | PSS MiB | reload to new serial s | longest stall during reload ms | lost of 20k |\n|---|---|---|---|---|---|')
        for n in names:
            if 'starts' not in res[n]: continue
            v = res[n]['reloads']
            print(f"| {n} | {mmm(res[n]['starts'], '{:.2f}')} | {mmm([m / 1024 for m in res[n]['mem']])} | {mmm([x['s'] for x in v], '{:.2f}')} | {mmm([x['max_us'] / 1e3 for x in v])} | {max([x['lost'] for x in v], default=0)} |")
    elif any('up' in res[n] for n in names):
        print('\n| server | start s | PSS MiB idle | PSS MiB after load |\n|---|---|---|---|')
        for n in names:
            if 'up' in res[n]: print(f"| {n} | {res[n]['up']:.2f} | {res[n]['pss0'] / 1024:.0f} | {res[n].get('pss', 0) / 1024:.0f} |")
main()
