// Package kill ends processes of a station at the worst moments, as kill -9 and a power cut do, while alarms come, bursts
// of them, and orders to arm and disarm: dozor as one process, each of its roles alone, and PostgreSQL. The moments are
// chosen by a seed that is printed; DOZOR_SEED plays the same ones again. What was killed is started again at once, and at
// the end nothing is lost, nothing is doubled, and no order was carried out twice or late.
package kill
