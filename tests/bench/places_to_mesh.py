#!/usr/bin/python3
"""Converts the bench's places.tsv into an endpoints file of meshdnsd: places_to_mesh.py PLACES_TSV MESH_YAML

A line of places.tsv is host, place r (1 to 4), address. Each place is a cluster with one node, whose clients are
127.r.0.0/16 and 10.r.0.0/16. A host is the automatic one of a service; each service has a namespace of its own. Every
tenth host has a port named http at its IPv4 addresses, for _http._tcp.
"""
import os
import sys

PLACES = (1, 2, 3, 4)


def endpoint_line(host, address):
    service = host.split(".", 1)[0]
    number = int(service.rsplit("-", 1)[1])
    named = number % 10 == 0 and ":" not in address
    port = "{name: http, number: 8080}" if named else "{number: 8080}"
    return f'    - {{service: {service}, namespace: n{number}, address: "{address}", ports: [{port}]}}\n'


def read_places(path):
    """The lines of each place's endpoints."""
    lines = {place: [] for place in PLACES}
    with open(path, encoding="ascii") as places:
        for line in places:
            host, place, address = line.split()
            lines[int(place)].append(endpoint_line(host, address))
    return lines


def node_head(place):
    return f"  - name: n{place}\n    cluster: r{place}\n    locality: {{region: r{place}, zone: r{place}}}\n    endpoints:\n"


def cluster_object(place):
    return (
        "  - apiVersion: meshdns.io/v1alpha1\n    kind: Cluster\n"
        f"    metadata: {{name: r{place}}}\n"
        f"    spec: {{locality: {{region: r{place}, zone: r{place}}}, "
        f"clientPrefixes: [127.{place}.0.0/16, 10.{place}.0.0/16]}}\n"
    )


def main():
    places, mesh = sys.argv[1:]
    lines = read_places(places)
    with open(mesh + ".new", "w", encoding="ascii") as out:
        out.write("nodes:\n")
        for place in PLACES:
            out.write(node_head(place))
            out.writelines(lines[place])
        out.write("objects:\n")
        out.writelines(cluster_object(place) for place in PLACES)
    os.replace(mesh + ".new", mesh)


if __name__ == "__main__":
    main()
