# SPDX-License-Identifier: Apache-2.0
"""azure_client.py PORT QUEUE - Microsoft's own client, azure-servicebus, through all that our vendors' systems did with it.

Prints one line for each thing that worked; ends with 1 and a trace at the first that did not."""

import sys
from datetime import datetime, timedelta, timezone

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusReceiveMode, ServiceBusSubQueue

port, queue = sys.argv[1:3]
text = (f"Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName=guest;SharedAccessKey=guest;UseDevelopmentEmulator=true;")


def say(what):
    print(what, flush=True)


def check(condition, what):
    if not condition:
        raise AssertionError(what)
    say(what)


with ServiceBusClient.from_connection_string(text, retry_total=0) as client:
    with client.get_queue_sender(queue) as sender:
        for number in range(6):
            sender.send_messages(ServiceBusMessage(f"body {number}", message_id=f"m{number}", subject="s"))
        say("send")
        later = datetime.now(timezone.utc) + timedelta(hours=1)
        numbers = sender.schedule_messages(ServiceBusMessage("later", message_id="later"), later)
        check(len(numbers) == 1, "schedule")
        sender.cancel_scheduled_messages(numbers)
        say("cancel scheduled")
    with client.get_queue_receiver(queue, max_wait_time=5) as receiver:
        peeked = receiver.peek_messages(max_message_count=10)
        check([message.message_id for message in peeked] == [f"m{n}" for n in range(6)], "peek")
        messages = []
        while len(messages) < 6:
            batch = receiver.receive_messages(max_message_count=6 - len(messages), max_wait_time=5)
            check(batch, "receive") if not messages else None
            if not batch:
                raise AssertionError(f"only {len(messages)} of 6 came")
            messages += batch
        check(all(message.lock_token and message.locked_until_utc for message in messages), "lock token and time")
        check(messages[0].sequence_number == peeked[0].sequence_number, "sequence numbers")
        before = messages[0].locked_until_utc
        check(receiver.renew_message_lock(messages[0]) >= before, "renew lock")
        receiver.complete_message(messages[0])
        say("complete")
        receiver.abandon_message(messages[1])
        say("abandon")
        receiver.dead_letter_message(messages[2], reason="bad", error_description="very bad")
        say("dead-letter")
        deferred = messages[3].sequence_number
        receiver.defer_message(messages[3])
        say("defer")
        (back,) = receiver.receive_deferred_messages([deferred])
        check(back.message_id == "m3", "receive deferred")
        receiver.complete_message(back)
        receiver.complete_message(messages[4])
        receiver.complete_message(messages[5])
        (again,) = receiver.receive_messages(max_message_count=1, max_wait_time=5)
        check((again.message_id, again.delivery_count) == ("m1", 1), "abandoned comes again, counted")
        receiver.complete_message(again)
    with client.get_queue_receiver(queue, sub_queue=ServiceBusSubQueue.DEAD_LETTER, max_wait_time=5) as receiver:
        (dead,) = receiver.receive_messages(max_message_count=1, max_wait_time=5)
        check((dead.message_id, dead.dead_letter_reason) == ("m2", "bad"), "dead letter and its reason")
        check(dead.dead_letter_error_description == "very bad", "dead letter's description")
        receiver.complete_message(dead)
    with client.get_queue_sender(queue) as sender:
        sender.send_messages(ServiceBusMessage("settled", message_id="settled"))
    with client.get_queue_receiver(queue, receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE, max_wait_time=5) as receiver:
        (taken,) = receiver.receive_messages(max_message_count=1, max_wait_time=5)
        check(taken.message_id == "settled", "receive and delete")
say("done")
