"""The demo's last steps: what a policy can say. Each checks what it prints."""
import layout
import wire
from layout import CLUSTERS, DNS_PORT, HOST


def addresses(demo, *names):
    return sorted(demo.node(name).address for name in names)


def kill(demo, *names):
    for name in names:
        demo.kill_backend(name)


def restart(demo, *names):
    for name in names:
        demo.say(f"$ start the instance on {name}")
        demo.processes.start_backend(demo.node(name))


def fence(demo):
    demo.title("8. A fence: fenced.mesh.internal never leaves the client's region, whatever happens in it")
    demo.ctl("apply", "-f", demo.processes.write("fence.yaml", layout.FENCE))
    eu, us = addresses(demo, "eu1-n1"), addresses(demo, "us1-n1", "us1-n2")
    demo.dig_everywhere("fenced.mesh.internal", eu_1=eu, eu_2=addresses(demo, "eu2-n1", "eu2-n2"), us_1=us)
    kill(demo, "eu1-n1", "eu1-n2", "eu2-n1", "eu2-n2")
    demo.dig_everywhere("fenced.mesh.internal", eu_1=[], eu_2=[], us_1=us)
    demo.say("  From eu there is nothing to say but NODATA; app-b, which has no fence, goes to us:")
    demo.dig_everywhere(eu_1=us, eu_2=us, us_1=us)


def gateway(demo):
    demo.title("9. A gateway: us-1 is a network of its own, and from eu it is entered at 127.0.3.1")
    demo.processes.start_backend(layout.GATEWAY)
    demo.ctl("apply", "-f", demo.processes.write("gateways.yaml", layout.GATEWAYS))
    entrance, us = [layout.GATEWAY.address], addresses(demo, "us1-n1", "us1-n2")
    demo.dig_everywhere(eu_1=entrance, eu_2=entrance, us_1=us)
    demo.ctl("explain", HOST, "--client", demo.node("eu1-n1").address)
    restart(demo, "eu1-n1", "eu1-n2", "eu2-n1", "eu2-n2")
    demo.dig_everywhere(eu_1=addresses(demo, "eu1-n1"), eu_2=addresses(demo, "eu2-n1", "eu2-n2"), us_1=us)


def spill(demo):
    demo.title("10. Spill: half of eu-2 fails, and some of its clients go to the next cluster, before the rest is overrun")
    demo.ctl("apply", "-f", demo.processes.write("spill.yaml", layout.SPILL))
    kill(demo, "eu2-n2")
    near, far = addresses(demo, "eu2-n1"), addresses(demo, "eu1-n1", "eu1-n2")
    cluster = CLUSTERS[1]
    demo.wait_until("the spill is seen", lambda: far in ask_all(cluster).values() and near in ask_all(cluster).values())
    for prefix in layout.SPILL_PREFIXES[:3]:
        argv = ["dig", "+short", "-b", layout.FORWARDER, f"@{cluster.dns}", "-p", str(DNS_PORT), f"+subnet={prefix}", layout.SPILL_HOST]
        demo.run(*argv)
    answers = list(ask_all(cluster).values())
    demo.check("answers of the spill", all(answer in (near, far) for answer in answers), True)
    stay = answers.count(near)
    demo.check("some stay, some go", 0 < stay < len(answers), True)
    demo.say(f"  of {len(answers)} client networks {stay} stay in eu-2, {len(answers) - stay} go to eu-1 for now "
             f"(70 % and 30 % in the long run)")
    demo.ctl("explain", layout.SPILL_HOST, "--client", "10.2.0.9")
    restart(demo, "eu2-n2")


def ask_all(cluster):
    """What each client network gets now, by its prefix."""
    return {prefix: wire.ask(cluster.dns, DNS_PORT, layout.SPILL_HOST, prefix, layout.FORWARDER)
            for prefix in layout.SPILL_PREFIXES}
