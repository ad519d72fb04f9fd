# SPDX-License-Identifier: Apache-2.0
"""azure_peek.py PORT QUEUE lay|take - Microsoft's own client, azure-servicebus, as the one to compare looks and counts with.

lay: sends messages and leaves them active, deferred, scheduled and dead-lettered; then peeks, and prints one JSON object for each
message it sees, of the queue and of its dead letters. take: receives what is active and what is dead, settles it, prints the same."""

import json
import sys
from datetime import datetime, timedelta, timezone

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSubQueue

port, queue, mode = sys.argv[1:4]
text = f"Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName=guest;SharedAccessKey=guest;UseDevelopmentEmulator=true;"
DEAD = ServiceBusSubQueue.DEAD_LETTER


def milliseconds(time):
    return None if time is None else round(time.timestamp() * 1000)


def property_of(message, name):
    value = (message.application_properties or {}).get(name.encode())
    if value is None:
        value = (message.application_properties or {}).get(name)
    return value.decode() if isinstance(value, bytes) else value


def show(message, is_dead):
    print(json.dumps({
        "dead": is_dead, "state": message.state.name, "sequence": message.sequence_number, "id": message.message_id,
        "correlation": message.correlation_id, "subject": message.subject, "from": property_of(message, "fromHerId"),
        "to": property_of(message, "toHerId"), "system": property_of(message, "X-SystemIdentifier"),
        "enqueued": milliseconds(message.enqueued_time_utc),
        # None stands for the default, which is not written on the wire.
        "deliveries": message.delivery_count or 0,
        "reason": message.dead_letter_reason}), flush=True)


def made(number):
    return ServiceBusMessage(
        f"body {number}", message_id=f"m{number}", correlation_id=f"c{number}", subject="DIALOG_INNBYGGER_EKONTAKT",
        content_type="text/plain", time_to_live=timedelta(hours=1),
        application_properties={
            "fromHerId": str(100 + number), "toHerId": "200", "applicationTimeStamp": "2026-09-21T13:33:20Z",
            "X-SystemIdentifier": "EPJ of another make"})


def receive(receiver, count):
    messages = []
    while len(messages) < count:
        batch = receiver.receive_messages(max_message_count=count - len(messages), max_wait_time=10)
        if not batch:
            raise AssertionError(f"only {len(messages)} of {count} came")
        messages += batch
    return messages


with ServiceBusClient.from_connection_string(text, retry_total=0) as client:
    if mode == "lay":
        with client.get_queue_sender(queue) as sender:
            for number in range(8):
                sender.send_messages(made(number))
            sender.schedule_messages([made(8), made(9)], datetime.now(timezone.utc) + timedelta(hours=2))
        with client.get_queue_receiver(queue, max_wait_time=10) as receiver:
            messages = receive(receiver, 5)
            receiver.complete_message(messages[0])
            receiver.dead_letter_message(messages[1], reason="unreadable", error_description="not XML")
            receiver.dead_letter_message(messages[2], reason="unknown receiver")
            receiver.defer_message(messages[3])
            receiver.abandon_message(messages[4])
        for sub_queue in (None, DEAD):
            with client.get_queue_receiver(queue, sub_queue=sub_queue) as receiver:
                start = 1
                while page := receiver.peek_messages(max_message_count=3, sequence_number=start):
                    for message in page:
                        show(message, sub_queue is not None)
                    start = page[-1].sequence_number + 1
    else:
        for sub_queue, count in ((None, int(sys.argv[4])), (DEAD, int(sys.argv[5]))):
            with client.get_queue_receiver(queue, sub_queue=sub_queue, max_wait_time=10) as receiver:
                for message in receive(receiver, count):
                    show(message, sub_queue is not None)
                    receiver.complete_message(message)
