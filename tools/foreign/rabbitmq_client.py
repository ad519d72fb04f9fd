# SPDX-License-Identifier: Apache-2.0
"""rabbitmq_client.py PORT QUEUE - RabbitMQ's own client for AMQP 1.0: declare, publish, count, consume, purge, delete.

Prints one line for each thing that worked; ends with 1 and a trace at the first that did not."""

import sys

from rabbitmq_amqp_python_client import (AddressHelper, AMQPMessagingHandler, Converter, Environment, Event, Message, OutcomeState,
                                         QuorumQueueSpecification)

port, queue = sys.argv[1:3]


def say(what):
    print(what, flush=True)


def check(condition, what):
    if not condition:
        raise AssertionError(what)
    say(what)


class Enough(Exception):
    pass


class Handler(AMQPMessagingHandler):
    def __init__(self):
        super().__init__()
        self.bodies = []

    def on_amqp_message(self, event: Event):
        self.bodies.append(bytes(event.message.body))
        self.delivery_context.accept(event)
        if len(self.bodies) == 3:
            raise Enough()


environment = Environment(uri=f"amqp://guest:guest@127.0.0.1:{port}/")
connection = environment.connection()
connection.dial()
management = connection.management()
management.declare_queue(QuorumQueueSpecification(name=queue))
say("declare")
address = AddressHelper.queue_address(queue)
publisher = connection.publisher(address)
for number in range(3):
    status = publisher.publish(Message(body=Converter.string_to_bytes(f"body {number}")))
    if status.remote_state != OutcomeState.ACCEPTED:
        raise AssertionError(status.remote_state)
say("publish")
check(management.queue_info(queue).message_count == 3, "queue_info")
handler = Handler()
consumer = connection.consumer(address, message_handler=handler)
try:
    consumer.run()
except Enough:
    pass
check(handler.bodies == [f"body {n}".encode() for n in range(3)], "consume")
consumer.close()
publisher.publish(Message(body=b"more"))
check(management.purge_queue(queue) >= 1, "purge")
management.delete_queue(queue)
say("delete")
publisher.close()
management.close()
connection.close()
environment.close()
say("done")
