# SPDX-License-Identifier: GPL-2.0-only
"""
An interpreter with threads: one fills a queue, one empties it into a file, and both have counted
the same when asked.
"""
import os
import queue
import signal
import sys
import threading
import time

path = sys.argv[1]
items = queue.Queue(maxsize=8)
asked = threading.Event()
written = open("lines", "w+", buffering=1)
sent = {}
received = {}
stop = object()


def report(text):
    with open(path, "a") as out:
        out.write(text + "\n")


def state(part, fine):
    report(("ok " if fine else "wrong ") + part)


def produce():
    number = 0
    while not asked.is_set():
        sent[number] = str(number) * 3
        items.put(number)
        number += 1
        time.sleep(0.002)
    items.put(stop)


def consume():
    while True:
        number = items.get()
        if number is stop:
            return
        received[number] = str(number) * 3
        written.write(received[number] + "\n")


signal.signal(signal.SIGUSR1, lambda number, frame: asked.set())
threads = [threading.Thread(target=produce), threading.Thread(target=consume)]
for thread in threads:
    thread.start()
while len(received) < 20:
    time.sleep(0.01)
report(f"ready {os.getpid()} 2")
for thread in threads:
    while thread.is_alive():
        thread.join(0.1)
state("interpreter", sent == received and len(sent) >= 20)
written.seek(0)
state("file", written.read().split() == list(sent.values()))
while True:
    signal.pause()
