print("ferrite")
