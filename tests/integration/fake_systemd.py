"""A manager of units on a bus, as systemd is one: `fake_systemd.py`, with DBUS_SYSTEM_BUS_ADDRESS.

Each line of standard input is `UNIT ACTIVE SUB`; the state is set, and told by a signal. Prints `ready` at the start.
"""
import sys

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = "org.freedesktop.systemd1"
PATH = "/org/freedesktop/systemd1"


def object_path(unit):
    """systemd's way: every character except letters and digits as _XX."""
    return PATH + "/unit/" + "".join(c if c.isalnum() else f"_{ord(c):02x}" for c in unit)


class Unit(dbus.service.Object):
    def __init__(self, bus, name):
        super().__init__(bus, object_path(name))
        self.state = {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}

    def set(self, active, sub):
        self.state = {"LoadState": "loaded", "ActiveState": active, "SubState": sub}
        self.PropertiesChanged(NAME + ".Unit", {"ActiveState": active, "SubState": sub}, [])

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="s", out_signature="a{sv}")
    def GetAll(self, _interface):
        return self.state

    @dbus.service.signal(dbus.PROPERTIES_IFACE, signature="sa{sv}as")
    def PropertiesChanged(self, interface, changed, gone):
        pass


class Systemd(dbus.service.Object):
    def __init__(self, bus):
        super().__init__(bus, PATH)
        self.bus = bus
        self.units = {}

    def unit(self, name):
        if name not in self.units:
            self.units[name] = Unit(self.bus, name)
        return self.units[name]

    @dbus.service.method(NAME + ".Manager")
    def Subscribe(self):
        pass

    @dbus.service.method(NAME + ".Manager", in_signature="s", out_signature="o")
    def LoadUnit(self, name):
        self.unit(str(name))
        return dbus.ObjectPath(object_path(str(name)))


def main():
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    systemd = Systemd(bus)
    name = dbus.service.BusName(NAME, bus)
    loop = GLib.MainLoop()

    def take(source, _condition):
        line = source.readline()
        if not line:
            loop.quit()
            return False
        unit, active, sub = line.split()
        systemd.unit(unit).set(active, sub)
        print("set", unit, flush=True)
        return True

    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, take)
    print("ready", name.get_name(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
